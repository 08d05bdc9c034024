//go:build stalled && linux

package ipc_test

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc"
)

// These are set by make stalled.
var (
	stalledCount = flag.Int("stalled", 1000, "how many subscribers of a service read nothing")
	stalledFor   = flag.Duration("stalledfor", time.Minute, "for how long")
	stalledAgain = flag.Bool("stalledagain", false, "who is cut off for that subscribes again")
)

const (
	stalledRate     = 2000 // events per second
	stalledMiB      = 150  // that the service may have of the machine's memory
	stalledVisits   = 10_000
	stalledDriftMiB = 5
)

// TestR1_StalledForReal has the stalled subscribers in one process, the
// service in another, and in this one a subscriber that reads. It says what
// it measures: what else the machine has to do makes some seconds bad, so
// that of latencies the second in the middle counts.
func TestR1_StalledForReal(t *testing.T) {
	address := localAddress(t)
	service := itself(t, torrentEnv+"="+address)
	c := dial(t, address, nil)
	e := newEar(t, c)
	var alone, among, after phase
	for range 10 {
		alone.second(t, c, e)
	}
	before := weigh(t, c)
	them := stalledProcess(t, address, *stalledCount, *stalledAgain)
	for range int(stalledFor.Seconds()) {
		if figuresOf(t, c).Connections > *stalledCount/2 {
			among.second(t, c, e)
		} else { // who takes nothing for ten seconds is cut off
			after.second(t, c, e)
		}
	}
	most := residentKiB(service.Process.Pid, "VmHWM")
	t.Logf("%d stalled: at most %d MiB, of %d", *stalledCount, most>>10, stalledMiB)
	t.Logf("alone     %v", alone)
	t.Logf("connected %v", among)
	t.Logf("cut off   %v", after)
	if most>>10 > stalledMiB {
		t.Errorf("the service had %d MiB", most>>10)
	}
	end(them)
	left(t, c, before)
	visits(t, c, address)
}

// phase is some seconds of one kind.
type phase struct{ p50, p99 []time.Duration }

// second lets the service publish for a second.
func (p *phase) second(t *testing.T, c *ipc.Client, e *ear) {
	t.Helper()
	pour(t, c, e, stalledRate, stalledRate)
	p.p50 = append(p.p50, quantile(e.took, 0.5))
	p.p99 = append(p.p99, quantile(e.took, 0.99))
}

func (p phase) String() string {
	if len(p.p50) == 0 {
		return "never"
	}
	return fmt.Sprintf("%2d s; in the middle one p50 %v, p99 %v; the p99 of all: %v", len(p.p50), quantile(p.p50, 0.5), quantile(p.p99, 0.5), p.p99)
}

// quantile is what that share of the times is not above.
func quantile(times []time.Duration, share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[int(share*float64(len(sorted)-1))].Round(time.Microsecond)
}

func weigh(t *testing.T, c *ipc.Client) weight {
	t.Helper()
	w, err := ipc.Call[weight](t.Context(), c, "weigh")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// deserted waits until the service has no connection but that of c, and weighs
// it.
func deserted(t *testing.T, c *ipc.Client) weight {
	t.Helper()
	for figuresOf(t, c).Connections > 1 {
		runtime.Gosched()
	}
	<-time.After(3 * time.Second) // what is kept for a moment is kept for two
	return weigh(t, c)
}

// left checks what is left when the stalled are gone.
func left(t *testing.T, c *ipc.Client, before weight) {
	after := deserted(t, c)
	t.Logf("before: %+v; after: %+v", before, after)
	before.compare(t, after)
}

// visits has subscribers come and go, a thousand for a start.
func visits(t *testing.T, c *ipc.Client, address string) {
	path := strings.TrimPrefix(address, "unix:")
	come := func(n int) weight {
		for range n {
			unix.Close(stalledConn(path))
		}
		return deserted(t, c)
	}
	before := come(1000)
	after := come(stalledVisits)
	drift := after.ResidentKiB - before.ResidentKiB
	t.Logf("%d came and went: %+v; before: %+v; %d KiB more", stalledVisits, after, before, drift)
	if drift>>10 >= stalledDriftMiB {
		t.Error("something is left of those that came and went")
	}
	before.compare(t, after)
}

// compare allows for what a service does of its own now and then.
func (w weight) compare(t *testing.T, now weight) {
	t.Helper()
	if now.Goroutines > w.Goroutines+8 || now.Descriptors > w.Descriptors {
		t.Errorf("there were %d goroutines and %d descriptors, and now there are %d and %d", w.Goroutines, w.Descriptors, now.Goroutines, now.Descriptors)
	}
}
