package hub

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// crowd is the publishers that wait for room in a log, in the order they
// came.
type crowd struct {
	hub    *Hub
	stream *stream

	mu       sync.Mutex
	waiting  []*waiter
	retrying bool        // somebody tries the first one
	again    bool        // and shall once more
	timer    *time.Timer // tries now and then, since nobody tells when a disk has space again
}

// waiter is a publication that found the log full.
type waiter struct {
	rec  store.Record
	done func(store.Receipt)
	stop func() bool // ends the watch on its context
}

// crowdRetry is how often room is looked for that nobody has told of.
const crowdRetry = time.Second

func (c *crowd) waits() bool { return c.length() > 0 }

func (c *crowd) length() int {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

// append is Log.Append that waits for room until ctx ends.
func (c *crowd) append(ctx context.Context, rec store.Record, done func(store.Receipt)) {
	if c.waits() {
		c.wait(ctx, rec, done)
		return
	}
	c.stream.Log.Append(rec, func(r store.Receipt) {
		if isFull(r.Err) && ctx.Err() == nil {
			c.wait(ctx, rec, done)
			return
		}
		done(r)
	})
}

func isFull(err error) bool { return err != nil && errors.Is(err, wire.CodeStorageFull) }

// wait adds a publication. Its data is the publisher's, which waits with it.
func (c *crowd) wait(ctx context.Context, rec store.Record, done func(store.Receipt)) {
	w := &waiter{rec: rec, done: done}
	c.mu.Lock()
	c.waiting = append(c.waiting, w)
	c.armLocked()
	c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		if c.take(w) {
			err := wire.Errorf(wire.CodeDeadlineExceeded, "no room came free in %s in time: %w", c.stream.Name, ctx.Err())
			err.Details.Executed = wire.ExecutedNo
			done(store.Receipt{Err: err})
		}
	})
	c.mu.Lock()
	w.stop = stop
	c.mu.Unlock()
	c.retry() // it may have come free meanwhile
}

// take removes w, and reports whether it was there.
func (c *crowd) take(w *waiter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.waiting, w)
	if i < 0 {
		return false
	}
	c.waiting = slices.Delete(c.waiting, i, i+1)
	return true
}

// armLocked has room looked for by and by.
func (c *crowd) armLocked() {
	if c.timer == nil {
		c.timer = time.AfterFunc(crowdRetry, func() { c.hub.start(c.retry) })
	} else {
		c.timer.Reset(crowdRetry)
	}
}

// retry appends those that wait, as far as there is room.
func (c *crowd) retry() {
	if c == nil {
		return
	}
	c.mu.Lock()
	if c.retrying || len(c.waiting) == 0 {
		c.again = c.retrying
		c.mu.Unlock()
		return
	}
	c.retrying = true
	w := c.waiting[0]
	c.waiting = c.waiting[1:]
	c.mu.Unlock()
	c.stream.Log.Append(w.rec, func(r store.Receipt) { c.tried(w, r) })
}

func (c *crowd) tried(w *waiter, r store.Receipt) {
	full := isFull(r.Err)
	c.mu.Lock()
	again := !full || c.again
	c.retrying, c.again = false, false
	if full {
		c.waiting = slices.Insert(c.waiting, 0, w)
		c.armLocked()
	} else if w.stop != nil {
		w.stop()
	}
	c.mu.Unlock()
	if !full {
		w.done(r)
	}
	if again {
		c.hub.start(c.retry) // and not deeper and deeper
	}
}

// close tells those that wait that nothing will come of it.
func (c *crowd) close() {
	c.mu.Lock()
	waiting := c.waiting
	c.waiting = nil
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	for _, w := range waiting {
		w.done(store.Receipt{Err: wire.Errorf(wire.CodeStorageUnavailable, "%s is closed", c.stream.Name)})
	}
}
