//go:build linux

package torture

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ekkojs/ipc/wire"
)

func TestMain(m *testing.M) {
	Main()
	goleak.VerifyTestMain(m)
}

var (
	calls = flag.Int("calls", 8000, "how many calls TestHistory makes")
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "where everything random of TestHistory begins")
)

// TestHistory makes a small history under faults and finds nothing in it;
// make torture makes a large one.
func TestHistory(t *testing.T) {
	report, err := Run(t.Context(), Config{Calls: *calls, Seed: *seed, Limit: 10 * time.Second, Pause: 100 * time.Millisecond})
	if report == nil {
		t.Fatalf("seed %d: %v", *seed, err)
	}
	t.Log(report)
	if err != nil {
		t.Errorf("seed %d: %v", *seed, err)
	}
	if len(report.Contradictions) > 0 {
		t.Errorf("seed %d:\n%s", *seed, report.Explain(3))
	}
	if report.OK == 0 || report.Executions == 0 || len(report.ByCode) < 5 {
		t.Errorf("seed %d: this proves nothing: %s", *seed, report)
	}
}

// TestEveryWorkload makes sure, where nothing happens, that what is called at
// all comes to what it is there for.
func TestEveryWorkload(t *testing.T) {
	report, err := Run(t.Context(), Config{Calls: 4000, Seed: *seed, Limit: 10 * time.Second, Faults: []string{}})
	if err != nil {
		t.Fatalf("seed %d: %v", *seed, err)
	}
	if len(report.Contradictions) > 0 {
		t.Errorf("seed %d:\n%s", *seed, report.Explain(3))
	}
	for _, m := range []string{"quick", "slow", "stubborn", "typed", "relay", "guarded", "spoiled", "repeatable", "mirror", "echo", "count", "gather", "echoes"} {
		if report.ByMethod[m].OK == 0 {
			t.Errorf("seed %d: no call of %s succeeded:\n%s", *seed, m, report.Methods())
		}
	}
	for _, m := range []string{"failing", "large", "mismatch"} {
		if report.ByMethod[m].Yes == 0 {
			t.Errorf("seed %d: no call of %s failed as it should:\n%s", *seed, m, report.Methods())
		}
	}
	for _, m := range []string{"nothing", "absent", "refusing"} {
		if report.ByMethod[m].No == 0 {
			t.Errorf("seed %d: no call of %s was refused:\n%s", *seed, m, report.Methods())
		}
	}
}

// TestDrain drains the services again and again under calls that are through
// in no time. None of them is lost: each is answered, or certainly was not
// begun.
func TestDrain(t *testing.T) {
	report, err := Run(t.Context(), Config{
		Calls: *calls / 2, Seed: *seed, Limit: 6 * time.Second, Pause: 25 * time.Millisecond, Faults: []string{"drain"}, NoRaw: true,
		Only: []string{"quick", "quick+", "slow", "stubborn", "failing", "relay"},
	})
	if err != nil {
		t.Fatalf("seed %d: %v", *seed, err)
	}
	t.Log(report)
	if len(report.Contradictions) > 0 {
		t.Errorf("seed %d:\n%s", *seed, report.Explain(3))
	}
	if lost := lostCalls(report); lost != "" {
		t.Errorf("seed %d: calls were lost:\n%s", *seed, lost)
	}
}

// lostCalls are the first of those calls that ended with their connection.
func lostCalls(report *Report) string {
	var b strings.Builder
	n := 0
	for _, e := range report.History.Events {
		if e.Code != wire.CodeConnectionLost || e.Kind != Fail || strings.Contains(e.Note, "stopped answering") {
			continue // some clients give a silent service 30 ms, which a busy machine may need
		}
		if n++; b.Len() < 2000 {
			b.WriteString(report.History.Excerpt(e.Call))
		}
	}
	if n > 0 {
		fmt.Fprintf(&b, "%d in all, in %s\n", n, report)
	}
	return b.String()
}
