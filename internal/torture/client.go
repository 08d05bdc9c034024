//go:build linux

package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/torture/stage"
	"github.com/ekkojs/ipc/wire"
)

// clientConfig is what a client process is told.
type clientConfig struct {
	Name    string // of the process
	Dir     string // of the journal
	Address string
	Seed    uint64
	Calls   int      // how many it makes
	Clients int      // connections that are called through
	Workers int      // goroutines that call through each of them
	Raw     int      // goroutines that speak the protocol by themselves
	Only    []string // the methods called; nil for all
	Patient bool     // no connection pings often
	Plant   Plant
}

// client is the program of a client process.
type client struct {
	clientConfig
	ctx     context.Context // ends when no more calls are to be made
	journal *Journal
	left    atomic.Int64 // calls still to be made
	named   atomic.Int64 // calls that were given a name
	renewed atomic.Int64 // connections
	shared  []*caller
}

// runClient makes the calls that it is told to make, or as many as it can
// until stdin ends.
func runClient(cfg clientConfig) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go stage.EndWithStdin(stop)
	j, err := OpenJournal(cfg.Dir, cfg.Name)
	if err != nil {
		return err
	}
	c := &client{clientConfig: cfg, ctx: ctx, journal: j}
	c.left.Store(int64(cfg.Calls))
	var workers sync.WaitGroup
	for range cfg.Clients {
		shared := &caller{journal: j, plant: cfg.Plant}
		if err := c.renew(shared); err != nil {
			return err
		}
		defer func() { shared.client.Load().Close() }()
		c.shared = append(c.shared, shared)
	}
	for i, shared := range c.shared {
		for k := range cfg.Workers {
			workers.Go(func() { (&worker{c, shared, rng(cfg.Seed, i, k)}).work() })
		}
		if len(cfg.Only) == 0 {
			workers.Go(func() { (&worker{c, shared, rng(cfg.Seed, i, -1)}).push() })
		}
	}
	for i := range cfg.Raw {
		workers.Go(func() { (&rawWorker{client: c, rand: rng(cfg.Seed, -1, i)}).work() })
	}
	workers.Wait()
	return nil
}

// rng is a generator of its own for each goroutine.
func rng(seed uint64, group, member int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(group)<<32|uint64(member)))
}

// next takes n calls from those that are left, and reports whether they may
// be made.
func (c *client) next(n int) bool { return c.ctx.Err() == nil && c.left.Add(int64(-n)) >= int64(-n)+1 }

// id returns a name for one more call.
func (c *client) id() string { return fmt.Sprintf("%s-%d", c.Name, c.named.Add(1)) }

// renew gives a caller a new connection and closes the one it has, whatever
// is outstanding on it.
func (c *client) renew(of *caller) error {
	opts := &ipc.ClientOptions{Logger: quiet, Timeout: 5 * time.Second, Methods: map[string]ipc.Handler{"echo": c.echo}}
	switch c.renewed.Add(1) % 4 {
	case 1:
		if c.Patient {
			break
		}
		opts.PingInterval = 10 * time.Millisecond // a service that is stopped is then one that is lost
	case 2:
		opts.Linger = 200 * time.Microsecond
	case 3:
		opts.Interceptors = []ipc.Interceptor{func(next ipc.Handler) ipc.Handler { return next }}
		opts.MaxPending = 4 // others wait for their turn
	}
	fresh, err := ipc.NewClient(c.ctx, c.Address, opts)
	if err != nil {
		return err
	}
	if old := of.client.Swap(fresh); old != nil {
		old.Close()
	}
	return nil
}

// echo is what a service may call on its clients.
func (c *client) echo(ctx context.Context, r *ipc.Request) (any, error) {
	var in arguments
	if err := r.Decode(&in.Call, &in.MS); err != nil {
		return nil, err
	}
	c.journal.Write(Event{Kind: Begin, Call: in.Call})
	defer c.journal.Write(Event{Kind: End, Call: in.Call})
	if err := stage.Pause(ctx, in.MS/2); err != nil {
		return nil, err
	}
	if in.MS == 3 {
		c.journal.Write(Event{Kind: Refused, Call: in.Call, Code: ipc.CodeConflict})
		return nil, ipc.Errorf(ipc.CodeConflict, "[%s] refused", in.Call)
	}
	return in.Call, nil
}

// worker calls through a connection that it shares.
type worker struct {
	client *client
	shared *caller
	rand   *rand.Rand
}

func (w *worker) work() {
	streams := slices.Contains(w.client.Only, "count")
	for streams && w.client.ctx.Err() == nil && w.client.left.Load() > 0 {
		w.receive()
	}
	for w.client.next(1) {
		w.one()
		if len(w.client.Only) > 0 {
			continue
		}
		switch n := w.rand.IntN(2000); {
		case n == 0:
			w.client.renew(w.shared)
		case n < 3:
			w.crowd()
		case n < 5:
			w.illegible()
		case n < 45:
			w.batch()
		case n < 65:
			w.notify()
		case n < 105:
			w.receive()
		case n < 145:
			w.send()
		case n < 185:
			w.twins()
		}
	}
}

// one makes a call, and pauses after one that found no service.
func (w *worker) one() {
	p, id := w.plan()
	ctx, cancel := w.context(p.method)
	defer cancel()
	_, err := w.shared.call(ctx, p, id)
	if code := ipc.CodeOf(err); code == ipc.CodeServiceUnavailable || code == wire.CodeQuotaExceeded {
		stage.Pause(w.client.ctx, 10+40*w.rand.Float64())
	}
}

// weights say how often each method is called.
var weights = []struct {
	method string
	weight int
}{
	{"quick", 30}, {"quick+", 12}, {"slow", 18}, {"stubborn", 8}, {"failing", 4}, {"plain", 2}, {"refusing", 5},
	{"panicking", 2}, {"large", 1}, {"mismatch", 3}, {"unreadable", 1}, {"wordy", 1}, {"relay", 6}, {"guarded", 4},
	{"spoiled", 3}, {"typed", 4}, {"typed-", 2}, {"quick-", 3}, {"nothing", 3}, {"absent", 2}, {"deep", 1}, {"huge", 1},
	{"unwritable", 1}, {"bulk", 4}, {"repeatable", 10}, {"mirror", 4},
}

// plan draws a call. A method with a sign is one with something about its
// arguments: "+" means large ones, "-" those that do not fit.
func (w *worker) plan() (plan, string) {
	id := w.client.id()
	ms := float64(w.rand.IntN(6))
	switch m := draw(w.rand, w.client.Only); m {
	case "quick+":
		return plan{method: "quick", args: []any{id, ms, padding(id, 10<<10+w.rand.IntN(60<<10))}}, id
	case "bulk":
		return plan{method: m, args: []any{id, ms, padding(id, 1+w.rand.IntN(100<<10))}}, id
	case "huge": // over the limit of the service, not of the client
		return plan{method: "quick", args: []any{id, ms, strings.Repeat("x", maxFrame)}}, id
	case "quick-":
		return plan{method: "quick", args: []any{id, "not a number"}}, id
	case "typed":
		return plan{method: "typed", args: []any{arguments{Call: id}}}, id
	case "typed-":
		return plan{method: "typed", args: []any{map[string]any{"call": id, "ms": "not a number"}}}, id
	case "deep":
		var deep any
		for range 70 {
			deep = []any{deep}
		}
		return plan{method: "quick", args: []any{id, ms, deep}}, id
	case "repeatable":
		return plan{method: m, args: []any{id, ms}, key: true}, id
	case "unwritable":
		return plan{method: "quick", args: []any{id, make(chan int)}}, id
	default:
		return plan{method: m, args: []any{id, ms}}, id
	}
}

// draw draws a method, one of only if there are such.
func draw(r *rand.Rand, only []string) string {
	if len(only) > 0 {
		return only[r.IntN(len(only))]
	}
	sum := 0
	for _, w := range weights {
		sum += w.weight
	}
	at := r.IntN(sum)
	for _, w := range weights {
		if at -= w.weight; at < 0 {
			return w.method
		}
	}
	panic("torture: weights that do not add up")
}

// context draws how long a call is waited for.
func (w *worker) context(method string) (context.Context, context.CancelFunc) {
	ctx := context.Background()
	if method == "unreadable" {
		return context.WithTimeout(ctx, 300*time.Millisecond)
	}
	switch n := w.rand.IntN(100); {
	case n < 4: // cancelled before it is made
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, cancel
	case n < 10: // or right after
		ctx, cancel := context.WithCancel(ctx)
		go cancel()
		return ctx, cancel
	case n < 18: // or at about the time of the answer
		ctx, cancel := context.WithCancel(ctx)
		stop := time.AfterFunc(time.Duration(w.rand.IntN(4000))*time.Microsecond, cancel).Stop
		return ctx, func() { stop(); cancel() }
	case n < 22:
		return context.WithTimeout(ctx, 0)
	case n < 28:
		return context.WithTimeout(ctx, time.Millisecond)
	case n < 34:
		return context.WithTimeout(ctx, time.Duration(2+w.rand.IntN(6))*time.Millisecond)
	}
	return context.WithTimeout(ctx, 3*time.Second)
}
