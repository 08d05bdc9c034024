package transport_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// errands are what the test binary does as a process of its own, chosen by
// the variable below: other users and other processes come from here.
var errands = make(map[string]func(args []string) int)

// atExit is what the tests leave to be done at the end.
var atExit []func()

const errandEnv = "TRANSPORT_TEST_ERRAND"

func TestMain(m *testing.M) {
	if name := os.Getenv(errandEnv); name != "" {
		os.Exit(errands[name](os.Args[1:]))
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		for _, f := range atExit {
			f()
		}
		os.Exit(code)
	}))
}
