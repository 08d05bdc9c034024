//go:build linux

package torture

import (
	"context"
	"sync"
	"time"

	"github.com/ekkojs/ipc/internal/torture/stage"
)

// together makes the calls that plans draws, n of them at once, through c.
func (w *worker) together(c *caller, n int, patience time.Duration, plans func() (plan, string)) {
	var callers sync.WaitGroup
	for range n {
		if !w.client.next(1) {
			break
		}
		p, id := plans()
		callers.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			c.call(ctx, p, id)
		})
	}
	callers.Wait()
}

// alone runs f with a connection of its own.
func (w *worker) alone(f func(*caller)) {
	c := &caller{journal: w.client.journal, plant: w.client.Plant}
	if w.client.renew(c) != nil {
		return
	}
	defer func() { c.client.Load().Close() }()
	f(c)
}

// crowd opens more connections than the service takes.
func (w *worker) crowd() {
	var connections sync.WaitGroup
	for range maxConnections {
		p, id := w.plan()
		connections.Go(func() {
			w.alone(func(c *caller) {
				w.together(c, 1, time.Second, func() (plan, string) { return p, id })
			})
		})
	}
	connections.Wait()
}

// illegible gets more answers that cannot be read than a client puts up with,
// while other calls of the connection run.
func (w *worker) illegible() {
	w.alone(func(c *caller) {
		var others sync.WaitGroup
		others.Go(func() {
			w.together(c, 6, time.Second, func() (plan, string) {
				id := w.client.id()
				return plan{method: "stubborn", args: []any{id, 30}}, id
			})
		})
		for range 24 {
			w.together(c, 1, 20*time.Millisecond, func() (plan, string) {
				id := w.client.id()
				return plan{method: "unreadable", args: []any{id}}, id
			})
		}
		others.Wait()
	})
}

// push makes calls again and again that together are larger than what a
// socket holds. When the service is killed, one write of theirs has been
// read in part.
func (w *worker) push() {
	for w.client.ctx.Err() == nil && w.client.left.Load() > 0 {
		w.together(w.shared, 16, time.Second, func() (plan, string) {
			id := w.client.id()
			return plan{method: "quick", args: []any{id, 0, padding(id, 20<<10+w.rand.IntN(100<<10))}}, id
		})
		stage.Pause(w.client.ctx, 10+40*w.rand.Float64())
	}
}
