package ipc_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

const queueManifest = `{
  "service": {"name": "works"},
  "methods": {
    "free": {"parameters": []},
    "two": {"concurrency": 2},
    "one": {"concurrency": 1},
    "brief": {"parameters": [], "timeout": 2000},
    "pay": {"idempotent": true},
    "payOne": {"idempotent": true, "concurrency": 1}
  }
}`

// inBubble serves s over memory and returns a way to dial it. It belongs into
// a bubble of synctest; what it starts ends with the test in it.
func inBubble(t *testing.T, s *ipc.Service) (dial func(*ipc.ClientOptions) *ipc.Client) {
	t.Helper()
	address := "mem:" + t.Name()
	t.Cleanup(serveAt(t, s, address))
	return func(opts *ipc.ClientOptions) *ipc.Client {
		c, err := ipc.Dial(t.Context(), address, opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
}

// works returns a service all of whose methods are h.
func works(t *testing.T, opts *ipc.ServiceOptions, h ipc.Handler) *ipc.Service {
	var o ipc.ServiceOptions
	if opts != nil {
		o = *opts
	}
	o.Logger = quiet
	s := ipc.NewService(parse(t, queueManifest), &o)
	s.HandleDefault(h)
	return s
}

// manifestDir makes a directory in which the service is found by its name,
// "works", and returns the address that it is to be served at.
func manifestDir(t *testing.T, text string) (dir, address string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("EKKO_IPC_RUNTIME_DIR", dir)
	if err := os.WriteFile(filepath.Join(dir, "works.ekko.ipc.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address, err := transport.ServiceAddress("works")
	if err != nil {
		t.Fatal(err)
	}
	return dir, address
}

// noRetries is a client that shows each error as it comes, but for those of
// calls that it has given up itself.
var noRetries = &ipc.ClientOptions{MaxRetries: -1, OnError: func(error) {}}

// idle returns when nothing runs and nothing waits any more.
func idle(t *testing.T, c *ipc.Client) {
	t.Helper()
	for f := figuresOf(t, c); f.Running != 0 || f.Waiting != 0; {
		f = figuresOf(t, c) // an answer comes a moment before its request has left
	}
}

// TestLimitsHold sends requests at random to a method with a limit, in a
// service with one, of which some are cancelled and some expire: there are
// never more at once than may be, they begin in the order in which they came,
// and each ends exactly once.
func TestLimitsHold(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { holdLimits(t, rand.New(rand.NewPCG(seed, 9))) })
		})
	}
}

func holdLimits(t *testing.T, random *rand.Rand) {
	const calls = 120
	var mu sync.Mutex
	running := map[string]int{}
	var begun [calls]bool
	var last int // the newest call of "one" that has begun
	service := 1 + random.IntN(4)
	s := works(t, &ipc.ServiceOptions{MaxConcurrent: service, QueueDelay: -1}, func(ctx context.Context, r *ipc.Request) (any, error) {
		var n int
		if err := r.Decode(&n); err != nil {
			return nil, err
		}
		mu.Lock()
		begun[n] = true
		running[r.Method]++
		if running["two"] > 2 || running["one"] > 1 || running["two"]+running["one"] > service {
			t.Errorf("running at once: %v; the service may run %d", running, service)
		}
		if r.Method == "one" { // of several that begin at once the order cannot be seen
			if n < last {
				t.Errorf("call %d began after call %d", n, last)
			}
			last = n
		}
		mu.Unlock()
		time.Sleep(time.Duration(n%7+1) * 5 * time.Millisecond)
		mu.Lock()
		running[r.Method]--
		mu.Unlock()
		return n, nil
	})
	dial := inBubble(t, s)
	clients := []*ipc.Client{dial(noRetries), dial(noRetries), dial(noRetries)}

	var wg sync.WaitGroup
	for n := range calls {
		method := []string{"two", "two", "one"}[random.IntN(3)]
		c := clients[random.IntN(len(clients))]
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(20+random.IntN(400))*time.Millisecond)
		stop := time.Duration(random.IntN(600)) * time.Millisecond
		wg.Go(func() {
			defer cancel()
			defer time.AfterFunc(stop, cancel).Stop()
			got, err := ipc.Call[int](ctx, c, method, n)
			e, _ := err.(*ipc.Error)
			switch {
			case err == nil && got != n:
				t.Errorf("call %d got the answer of %d", n, got)
			case err == nil:
			case e.Code == ipc.CodeDeadlineExceeded, e.Code == ipc.CodeCancelled, e.Code == wire.CodeOverloaded:
				mu.Lock()
				if e.Details.Executed == ipc.ExecutedNo && begun[n] {
					t.Errorf("call %d was executed: %v", n, e)
				}
				mu.Unlock()
			default:
				t.Errorf("call %d: %v", n, err)
			}
		})
		time.Sleep(time.Duration(3+random.IntN(6)) * time.Millisecond)
		synctest.Wait() // it has come to the service
	}
	wg.Wait()
	time.Sleep(time.Second) // handlers that nobody waits for
	idle(t, clients[0])
}

// TestLimitsUnderStress is TestLimitsHold in real time: many clients at once
// that give up at any moment. What is looked for is a slot that got lost.
func TestLimitsUnderStress(t *testing.T) {
	var running atomic.Int64
	s := works(t, &ipc.ServiceOptions{MaxConcurrent: 3, MaxQueued: 8}, func(ctx context.Context, r *ipc.Request) (any, error) {
		if n := running.Add(1); n > 3 {
			t.Errorf("%d run at once", n)
		}
		defer running.Add(-1)
		for range 100 {
			runtime.Gosched()
		}
		return nil, ctx.Err()
	})
	address := serve(t, s)
	var wg sync.WaitGroup
	for i := range 8 {
		c := dial(t, address, noRetries)
		random := rand.New(rand.NewPCG(uint64(i), 7))
		for range 4 {
			give := random.Perm(300)
			wg.Go(func() {
				for n, after := range give {
					ctx, cancel := context.WithCancel(t.Context())
					if after%2 == 0 {
						go func() {
							for range after {
								runtime.Gosched()
							}
							cancel()
						}()
					}
					c.Call(ctx, []string{"one", "two", "free", "payOne"}[n%4])
					cancel()
				}
			})
		}
	}
	wg.Wait()
	c := dial(t, address, nil)
	for { // handlers that nobody waits for
		if f := figuresOf(t, c); f.Running == 0 && f.Waiting == 0 {
			break
		}
	}
	for _, method := range []string{"one", "two", "free", "payOne"} {
		if _, err := c.Call(t.Context(), method); err != nil {
			t.Errorf("%s afterwards: %v", method, err)
		}
	}
}

// TestWhoWaitsHoldsUpNobody fills a method and its queue, and calls another
// one on the same connection.
func TestWhoWaitsHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := works(t, &ipc.ServiceOptions{MaxQueued: 50}, func(ctx context.Context, r *ipc.Request) (any, error) {
			if r.Method == "one" {
				<-release
			}
			return r.Method, nil
		})
		c := inBubble(t, s)(noRetries)
		results := make(chan error, 51)
		for range 51 {
			go func() {
				_, err := c.Call(t.Context(), "one")
				results <- err
			}()
		}
		time.Sleep(10 * time.Millisecond)
		_, err := c.Call(t.Context(), "one")
		if e, ok := err.(*ipc.Error); !ok || e.Code != ipc.CodeQueueFull || e.Details.Executed != ipc.ExecutedNo || !e.Details.Retryable ||
			e.Details.RetryAfter < time.Millisecond || e.Details.RetryAfter > 5*time.Second || fmt.Sprint(e.Details.More["depth"]) != "50" {
			t.Errorf("one too many: %v %+v", err, e)
		}
		if got, err := ipc.Call[string](t.Context(), c, "free"); got != "free" || err != nil {
			t.Errorf("another method: %v, %v", got, err)
		}
		close(release)
		for range 51 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		idle(t, c)
	})
}

// TestAServiceHasALimitOfItsOwn runs more handlers of methods without limits
// than a service may.
func TestAServiceHasALimitOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		s := works(t, &ipc.ServiceOptions{MaxConcurrent: 3, QueueDelay: -1}, func(context.Context, *ipc.Request) (any, error) {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(10 * time.Millisecond)
			running.Add(-1)
			return nil, nil
		})
		dial := inBubble(t, s)
		var wg sync.WaitGroup
		for range 4 {
			c := dial(noRetries)
			for range 25 {
				wg.Go(func() {
					if _, err := c.Call(t.Context(), "free"); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		if most.Load() != 3 {
			t.Errorf("%d ran at once, want 3", most.Load())
		}
		idle(t, dial(nil))
	})
}

// TestComputingHandlersAllEnd has more handlers compute than there are
// processors: those whose goroutines cannot begin wait in the service.
func TestComputingHandlersAllEnd(t *testing.T) {
	s := works(t, &ipc.ServiceOptions{QueueDelay: -1}, func(_ context.Context, r *ipc.Request) (any, error) {
		var n int
		err := r.Decode(&n)
		for began := time.Now(); time.Since(began) < time.Millisecond; {
		}
		return n, err
	})
	address := serve(t, s)
	var wg sync.WaitGroup
	for range 4 {
		c := dial(t, address, noRetries)
		for i := range 50 {
			wg.Go(func() {
				for n := range 5 {
					method := []string{"pay", "two"}[i%10/9]
					if got, err := ipc.Call[int](t.Context(), c, method, n); got != n || err != nil {
						t.Errorf("got %d, %v", got, err)
					}
				}
			})
		}
	}
	wg.Wait()
	idle(t, dial(t, address, nil))
}

// TestNobodyWaitsForAConnectionThatHasEnded loses a client whose requests
// wait: the next one's are taken up at once.
func TestNobodyWaitsForAConnectionThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var ran atomic.Int64
		s := works(t, nil, func(context.Context, *ipc.Request) (any, error) {
			ran.Add(1)
			<-release
			return nil, nil
		})
		dial := inBubble(t, s)
		gone, stays := dial(noRetries), dial(noRetries)
		for range 20 {
			go gone.Call(t.Context(), "one")
		}
		time.Sleep(10 * time.Millisecond)
		gone.Close()
		synctest.Wait()
		done := make(chan error)
		go func() {
			_, err := stays.Call(t.Context(), "one")
			done <- err
		}()
		time.Sleep(10 * time.Millisecond)
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if ran.Load() != 2 {
			t.Errorf("%d ran, want the first and that of the client that stays", ran.Load())
		}
		idle(t, stays)
	})
}

// TestWaitingRequestsSurviveADrain ends a service while requests wait: they
// were taken, so they are carried out.
func TestWaitingRequestsSurviveADrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := works(t, nil, func(context.Context, *ipc.Request) (any, error) {
			time.Sleep(100 * time.Millisecond)
			return nil, nil
		})
		c := inBubble(t, s)(noRetries)
		results := make(chan error, 5)
		for range 5 {
			go func() {
				_, err := c.Call(t.Context(), "one")
				results <- err
			}()
		}
		time.Sleep(10 * time.Millisecond)
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		for range 5 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}

// TestExpiredInTheQueueIsNotBegun has the service find it, for a peer that
// keeps no time of its own: errors say how far the request came.
func TestExpiredInTheQueueIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ran []string
		s := works(t, nil, func(_ context.Context, r *ipc.Request) (any, error) {
			var who string
			r.Decode(&who)
			ran = append(ran, who)
			time.Sleep(time.Second)
			return nil, nil
		})
		c := inBubble(t, s)(noRetries)
		go c.Call(t.Context(), "one", "first")
		time.Sleep(10 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := c.Call(ctx, "one", "late"); ipc.CodeOf(err) != ipc.CodeDeadlineExceeded {
			t.Errorf("got %v", err)
		}
		if _, err := c.Call(t.Context(), "one", "last"); err != nil {
			t.Error(err)
		}
		if !slices.Equal(ran, []string{"first", "last"}) {
			t.Errorf("ran %v", ran)
		}
		idle(t, c)
	})
}

// TestAMethodsTimeoutIsTheDefault finds a service by its manifest, and calls
// without a deadline.
func TestAMethodsTimeoutIsTheDefault(t *testing.T) {
	dir, address := manifestDir(t, queueManifest)
	s := works(t, nil, func(ctx context.Context, _ *ipc.Request) (any, error) {
		at, _ := ctx.Deadline()
		return time.Until(at).Seconds(), nil
	})
	t.Cleanup(serveAt(t, s, address))
	for _, x := range []struct {
		name   string
		client time.Duration
		ctx    time.Duration
		method string
		most   float64
		least  float64
	}{
		{"the manifest's", 0, 0, "brief", 2, 1},
		{"the client's, which is shorter", time.Second, 0, "brief", 1, 0.1},
		{"the manifest's, which is shorter", time.Minute, 0, "brief", 2, 1},
		{"the manifest's, for a patient client", -1, 0, "brief", 2, 1},
		{"the context's, which is shorter", 0, time.Second, "brief", 1, 0.1},
		{"the manifest's again: the service caps", 0, time.Minute, "brief", 2, 1},
		{"30 s without one", 0, 0, "free", 30, 20},
	} {
		c, err := ipc.Dial(t.Context(), "works", &ipc.ClientOptions{Dirs: []string{dir}, Timeout: x.client})
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		if x.ctx != 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, x.ctx)
			defer cancel()
		}
		if got, err := ipc.Call[float64](ctx, c, x.method); err != nil || got > x.most || got < x.least {
			t.Errorf("%s: the handler has %.3f s, %v", x.name, got, err)
		}
		c.Close()
	}
}
