package transport_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// errands are what the test binary does as a process of its own, chosen by
// the variable below: other users and other processes come from here.
var errands = map[string]func(args []string) int{}

const errandEnv = "TRANSPORT_TEST_ERRAND"

func TestMain(m *testing.M) {
	if name := os.Getenv(errandEnv); name != "" {
		os.Exit(errands[name](os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}
