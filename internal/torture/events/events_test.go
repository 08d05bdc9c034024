//go:build linux && !race

package events

import (
	"flag"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// What is here runs a dozen processes at once. With the race detector they
// take ten times as long and starve the tests of other packages, whose own runs
// with it see the same code.

func TestMain(m *testing.M) {
	Main()
	goleak.VerifyTestMain(m)
}

var (
	messages = flag.Int("messages", 6000, "how many events TestKept publishes")
	kills    = flag.Int("kills", 6, "how often TestKept kills the service")
	plain    = flag.Int("plain", 300_000, "how many events TestPlain publishes")
	seed     = flag.Uint64("seed", uint64(time.Now().UnixNano())>>20, "where everything random begins")
)

// TestKept makes a small history under faults and finds nothing in it; make
// torture makes a large one.
func TestKept(t *testing.T) {
	report, err := Kept(t.Context(), Config{Messages: *messages, Kills: *kills, Seed: *seed, Limit: 10 * time.Second, Log: t.Logf})
	if report == nil {
		t.Fatalf("seed %d: %v", *seed, err)
	}
	t.Logf("%s\n%s", report, report.Table())
	if err != nil {
		t.Errorf("seed %d: %v", *seed, err)
	}
	if len(report.Contradictions) > 0 {
		t.Errorf("seed %d:\n%s", *seed, report.Explain(3))
	}
}

// TestPlain is the same for events that nobody keeps.
func TestPlain(t *testing.T) {
	report, err := Plain(t.Context(), PlainConfig{Events: *plain, Seed: *seed, Limit: time.Minute})
	if report == nil {
		t.Fatalf("seed %d: %v", *seed, err)
	}
	t.Logf("%s\n%s", report, report.Table())
	if err != nil {
		t.Errorf("seed %d: %v", *seed, err)
	}
	if len(report.Contradictions) > 0 {
		t.Errorf("seed %d:\n%s", *seed, report.Explain(3))
	}
}
