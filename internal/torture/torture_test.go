//go:build linux

package torture

import (
	"flag"
	"fmt"
	"slices"
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
// all comes to what it is there for. Some are called a few times only, with
// deadlines and cancels like all others, so that it takes more than one run
// now and then.
func TestEveryWorkload(t *testing.T) {
	const runs = 5
	missing := workloads
	for n := range uint64(runs) {
		report, err := Run(t.Context(), Config{Calls: 4000, Seed: *seed + n, Limit: 10 * time.Second, Faults: []string{}})
		if err != nil {
			t.Fatalf("seed %d: %v", *seed+n, err)
		}
		if len(report.Contradictions) > 0 {
			t.Errorf("seed %d:\n%s", *seed+n, report.Explain(3))
		}
		missing = slices.DeleteFunc(slices.Clone(missing), func(w workload) bool { return w.came(report.ByMethod[w.method]) > 0 })
		if len(missing) == 0 {
			return
		}
		t.Log(report.Methods())
	}
	for _, w := range missing {
		t.Errorf("seeds %d to %d: no call of %s %s", *seed, *seed+runs-1, w.method, w.what)
	}
}

// workload is a method and what it is there for.
type workload struct {
	method string
	what   string
	came   func(Share) int
}

var workloads = func() (all []workload) {
	for _, kind := range []struct {
		what    string
		came    func(Share) int
		methods []string
	}{
		{"succeeded", func(f Share) int { return f.OK }, []string{"quick", "slow", "stubborn", "typed", "relay", "guarded", "spoiled", "repeatable", "mirror", "echo", "count", "gather", "echoes"}},
		{"failed as it should", func(f Share) int { return f.Yes }, []string{"failing", "large", "mismatch"}},
		{"was refused", func(f Share) int { return f.No }, []string{"nothing", "absent", "refusing"}},
	} {
		for _, m := range kind.methods {
			all = append(all, workload{m, kind.what, kind.came})
		}
	}
	return all
}()

// TestDrain drains the services again and again under calls that are through
// in no time. None of them is lost: each is answered, or certainly was not
// begun.
func TestDrain(t *testing.T) {
	report, err := Run(t.Context(), Config{
		Calls: *calls / 2, Seed: *seed, Limit: 6 * time.Second, Pause: 25 * time.Millisecond, Faults: []string{"drain"}, NoRaw: true, Patient: true,
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
		if e.Code != wire.CodeConnectionLost || e.Kind != Fail {
			continue
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
