package session

import (
	"context"
	"sync"
	"time"
)

// Context is the context of one request: it ends at the caller's deadline,
// when the caller cancels or is gone, and when the handler has returned. A
// handler that never asks for Done pays for no channel and no timer. It is
// made to be part of a larger value; Inbound.Start sets it up.
type Context struct {
	s        *Session
	deadline time.Duration // since Session.epoch; 0: none

	mu       sync.Mutex // taken before Session.mu
	done     chan struct{}
	err      error
	timer    *time.Timer
	after    map[*func()]struct{}
	enrolled bool // in Session.contexts
}

// Start sets c up for the request. End must be called when its handler has
// returned.
func (in *Inbound) Start(c *Context) {
	c.s = in.s
	if d := in.Timeout(); d > 0 {
		c.deadline = in.at.Sub(c.s.epoch) + d
	}
	in.ctx.Store(c)
	if in.cancelled.Load() {
		c.cancel(context.Canceled) // before it had begun
	}
}

// End ends the context: whoever still waits on it is told.
func (c *Context) End() { c.cancel(context.Canceled) }

// Deadline implements context.Context.
func (c *Context) Deadline() (at time.Time, ok bool) {
	if c.deadline == 0 {
		return at, false
	}
	return c.s.epoch.Add(c.deadline), true
}

// Value implements context.Context: there are no values.
func (c *Context) Value(key any) any { return nil }

// Err implements context.Context.
func (c *Context) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return c.err
	case c.deadline != 0 && time.Since(c.s.epoch) >= c.deadline:
		return context.DeadlineExceeded
	}
	select {
	case <-c.s.done:
		return context.Canceled
	default:
		return nil
	}
}

// Done implements context.Context.
func (c *Context) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		} else {
			c.armLocked()
		}
	}
	return c.done
}

// AfterFunc is what the context package asks of a foreign context, so that a
// context derived from this one needs no goroutine.
func (c *Context) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go f()
		return func() bool { return false }
	}
	if c.after == nil {
		c.after = map[*func()]struct{}{}
	}
	c.after[&f] = struct{}{}
	c.armLocked()
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, pending := c.after[&f]
		delete(c.after, &f)
		return pending
	}
}

// armLocked sees to it that somebody ends c.
func (c *Context) armLocked() {
	if c.enrolled {
		return
	}
	c.enrolled = true
	if c.deadline != 0 {
		c.timer = time.AfterFunc(c.deadline-time.Since(c.s.epoch), func() { c.cancel(context.DeadlineExceeded) })
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		go c.cancel(context.Canceled)
		return
	}
	if s.contexts == nil {
		s.contexts = map[*Context]struct{}{}
	}
	s.contexts[c] = struct{}{}
}

func (c *Context) cancel(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	if c.done != nil {
		close(c.done)
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	after := c.after
	c.after = nil
	enrolled := c.enrolled
	c.mu.Unlock()
	if enrolled {
		c.s.mu.Lock()
		delete(c.s.contexts, c)
		c.s.mu.Unlock()
	}
	for f := range after {
		go (*f)()
	}
}

// runningLocked returns the contexts to end with the session.
func (s *Session) runningLocked() []*Context {
	var running []*Context
	for c := range s.contexts {
		running = append(running, c)
	}
	for _, in := range s.inFlight {
		if c := in.ctx.Load(); c != nil {
			running = append(running, c)
		}
	}
	return running
}
