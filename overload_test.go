package ipc_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/wire"
)

const overloadManifest = `{
  "service": {"name": "busy"},
  "methods": {
    "wait": {"parameters": [], "concurrency": 8},
    "compute": {"parameters": []}
  }
}`

// busy is a service with work to do: wait takes 10 ms and no processor, eight
// at a time; compute takes about 2 ms of a processor.
func busy(t testing.TB, opts ipc.ServiceOptions) *ipc.Service {
	opts.Logger = quiet
	m, err := ipc.ParseManifest([]byte(overloadManifest))
	if err != nil {
		panic(err)
	}
	s := ipc.NewService(m, &opts)
	s.Handle("wait", func(context.Context, *ipc.Request) (any, error) {
		<-time.After(10 * time.Millisecond)
		return nil, nil
	})
	s.Handle("compute", func(context.Context, *ipc.Request) (any, error) {
		sum := uint64(0)
		for began := time.Now(); time.Since(began) < 2*time.Millisecond; {
			for i := range uint64(1000) {
				sum += sum<<1 ^ i
			}
		}
		return sum, nil
	})
	return s
}

// outcomes counts what became of the calls of one phase of a test.
type outcomes struct {
	patience time.Duration // the deadline of each
	phase    time.Time     // when it began
	during   time.Duration // how long it lasts
	calls    sync.WaitGroup

	mu       sync.Mutex      // guards all below
	good     int             // answered, and before the phase was over
	refused  []time.Duration // how long it took to be told
	late     int             // not answered by the deadline
	other    []error
	slowest  time.Duration // of the good ones
	lastPain time.Duration // since the phase began, when the last one ended that was not answered, or not soon
}

// quick is how long a call takes at most when all is well again.
const quick = 150 * time.Millisecond

func (o *outcomes) call(t *testing.T, c *ipc.Client, method string) {
	ctx, cancel := context.WithTimeout(context.Background(), o.patience)
	defer cancel()
	began := time.Now()
	_, err := c.Call(ctx, method)
	took := time.Since(began)
	e, _ := errors.AsType[*ipc.Error](err)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil || took > quick {
		o.lastPain = max(o.lastPain, time.Since(o.phase))
	}
	switch {
	case err == nil:
		if time.Since(o.phase) <= o.during {
			o.good++
		}
		o.slowest = max(o.slowest, took)
	case e.Code == ipc.CodeDeadlineExceeded:
		o.late++
	case e.Code == wire.CodeOverloaded, e.Code == ipc.CodeQueueFull:
		if e.Details.Executed != ipc.ExecutedNo || !e.Details.Retryable || e.Details.RetryAfter <= 0 {
			t.Errorf("a refusal that does not help: %+v", e.Details)
		}
		o.refused = append(o.refused, took)
	default:
		o.other = append(o.other, err)
	}
}

// rate is how many were answered per second.
func (o *outcomes) rate() float64 { return float64(o.good) / o.during.Seconds() }

// p99 is the time in which 99 of 100 refusals came.
func (o *outcomes) p99() time.Duration {
	if len(o.refused) == 0 {
		return 0
	}
	slices.Sort(o.refused)
	return o.refused[len(o.refused)*99/100]
}

func (o *outcomes) String() string {
	return fmt.Sprintf("%d good (slowest %v), %d refused (p99 %v), %d late, %d others %v",
		o.good, o.slowest.Round(time.Millisecond), len(o.refused), o.p99().Round(10*time.Microsecond), o.late, len(o.other), o.other[:min(len(o.other), 1)])
}

// work is what is asked of a service.
type work struct {
	clients  []*ipc.Client
	method   string
	patience time.Duration
}

// atMost keeps so many callers busy for a while: what a service can carry.
func atMost(t *testing.T, w work, callers int, during time.Duration) *outcomes {
	o := &outcomes{patience: w.patience, phase: time.Now(), during: during}
	for i := range callers {
		o.calls.Go(func() {
			for time.Since(o.phase) < during {
				o.call(t, w.clients[i%len(w.clients)], w.method)
			}
		})
	}
	o.calls.Wait()
	return o
}

// atRate begins so many calls per second for a while, whatever becomes of
// them. The last ones are not waited for.
func atRate(t *testing.T, w work, rate float64, during time.Duration) *outcomes {
	o := &outcomes{patience: w.patience, phase: time.Now(), during: during}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	begun := 0
	for now := range tick.C {
		since := now.Sub(o.phase)
		if since >= during {
			break
		}
		for float64(begun) < rate*since.Seconds() {
			c := w.clients[begun%len(w.clients)]
			o.calls.Go(func() { o.call(t, c, w.method) })
			begun++
		}
	}
	return o
}

// overload runs the three phases of L9 and checks what they come to. It returns
// within which time all but a hundredth were refused, and after which time all
// was well again: in a bubble those are the service's own, elsewhere they are
// for people to judge, who know what else the machine has to do.
func overload(t *testing.T, w work, callers int, during time.Duration) (refused, recovered time.Duration) {
	calm := min(during, 10*time.Second)
	idle := atMost(t, w, callers, calm)
	crowded := atRate(t, w, 3*idle.rate(), during)
	after := atRate(t, w, idle.rate()/2, 7*time.Second)
	crowded.calls.Wait()
	after.calls.Wait()

	t.Logf("peak      %6.0f /s  %v", idle.rate(), idle)
	t.Logf("overload  %6.0f /s  %v", crowded.rate(), crowded)
	t.Logf("after     %6.0f /s  %v", after.rate(), after)
	share := crowded.rate() / idle.rate()
	t.Logf("goodput %.0f %% of peak, refusals within %v (p99), recovered after %v",
		100*share, crowded.p99().Round(10*time.Microsecond), after.lastPain.Round(time.Millisecond))
	if share < 0.8 {
		t.Errorf("goodput fell to %.0f %% of peak", 100*share)
	}
	if len(crowded.refused) == 0 {
		t.Error("nobody was refused")
	}
	if len(crowded.other) > 0 {
		t.Errorf("%d failed otherwise, one with %v", len(crowded.other), crowded.other[0])
	}
	return crowded.p99(), after.lastPain
}

// TestL9_Overload asks three times as much of a service as it can carry, in a
// bubble, where time costs nothing and nothing depends on the machine.
func TestL9_Overload(t *testing.T) {
	for name, x := range map[string]struct {
		patience time.Duration
		opts     ipc.ServiceOptions
	}{
		"a method with a limit":                {time.Second, ipc.ServiceOptions{}},
		"a method with a limit, and patience":  {30 * time.Second, ipc.ServiceOptions{}},
		"a service with a limit, and patience": {30 * time.Second, ipc.ServiceOptions{MaxConcurrent: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial := inBubble(t, busy(t, x.opts))
				var clients []*ipc.Client
				for range 4 {
					clients = append(clients, dial(noRetries))
				}
				refused, recovered := overload(t, work{clients, "wait", x.patience}, 32, 3*time.Second)
				if refused > 50*time.Millisecond || recovered > 5*time.Second {
					t.Errorf("refusals took %v, and recovering %v", refused, recovered)
				}
				idle(t, clients[0])
			})
		})
	}
}

// busyEnv holds MaxConcurrent and makes the service that runs as a process of
// its own (serveEnv) a busy one.
const busyEnv = "EKKO_IPC_TEST_BUSY"

// busyProcess is the service of such a process.
func busyProcess(opts ipc.ServiceOptions) *ipc.Service {
	opts.MaxConcurrent, _ = strconv.Atoi(os.Getenv(busyEnv))
	return busy(nil, opts)
}
