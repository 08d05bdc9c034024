package script

import (
	"context"
	"errors"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/ekkojs/ipc"
)

// calls knows how to cancel the calls that are outstanding.
type calls struct {
	mu     sync.Mutex
	cancel map[uint64]context.CancelFunc
}

func (c *calls) add(id uint64, cancel context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel == nil {
		c.cancel = map[uint64]context.CancelFunc{}
	}
	c.cancel[id] = cancel
}

// remove forgets a call, and cancels what is left of it.
func (c *calls) remove(id uint64) {
	c.mu.Lock()
	cancel := c.cancel[id]
	delete(c.cancel, id)
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

func (a *app) opCancel(op *operation) { a.calls.remove(op.id()) }

// opCall calls a method.
func (a *app) opCall(op *operation) {
	id, l, timeout := op.id(), a.links[op.id()], op.text()
	method, data, key := op.name(), op.data(), op.name()
	ctx, cancel := a.deadline(timeout)
	if key != "" {
		ctx = ipc.WithIdempotencyKey(ctx, key)
	}
	a.calls.add(id, cancel)
	turn, entering := make(chan connection, 1), make(chan struct{})
	l.do(func() {
		turn <- l.connection(a.life)
		<-entering
	})
	a.callers.do(func() {
		defer a.calls.remove(id)
		result, err := atItsTurn(ctx, turn, entering, func(c Client) ([]byte, error) { return c.Call(ctx, method, data) })
		a.inbox.put(func(dst []byte) []byte {
			if err != nil {
				return appendError(appendHead(dst, "failure", id), err)
			}
			return appendData(appendHead(dst, "result", id), result)
		})
	})
}

// opNotify makes a call that is not answered. What keeps it from being sent is
// a warning, as for an event.
func (a *app) opNotify(op *operation) {
	l, method, data := a.links[op.id()], op.name(), op.data()
	l.do(func() {
		c, err := l.connect(a.life)
		if err == nil {
			err = c.Notify(a.life, method, data)
			l.soil()
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			l.refused("sending "+method, err)
		}
	})
}

// connection is what a queued operation gets when it is its turn: a client, or
// why there is none.
type connection struct {
	client Client
	err    error
}

func (l *link) connection(ctx context.Context) connection {
	c, err := l.connect(ctx)
	return connection{c, err}
}

// atItsTurn waits for the turn of a call, but not longer than its time, lets the
// queue go on, and makes the call.
func atItsTurn(ctx context.Context, turn <-chan connection, entering chan<- struct{}, call func(Client) ([]byte, error)) ([]byte, error) {
	var c connection
	select {
	case c = <-turn:
	case <-ctx.Done():
	}
	close(entering)
	if cause := ctx.Err(); cause != nil {
		e := ipc.Errorf(ipc.CodeOf(cause), "the call was not sent in time: %w", cause)
		e.Details.Executed = ipc.ExecutedNo
		return nil, e
	}
	if c.err != nil {
		return nil, c.err
	}
	return call(c.client)
}

// deadline returns the context of a call: text is its own timeout in
// milliseconds, 0 for none, "" for the default.
func (a *app) deadline(text string) (context.Context, context.CancelFunc) {
	timeout := a.Timeout
	if text != "" {
		ms, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic("script: the prelude asks for a timeout of " + text)
		}
		timeout = 0
		if ms < float64(math.MaxInt64/time.Millisecond) {
			timeout = time.Duration(ms * float64(time.Millisecond))
		}
	}
	if timeout <= 0 {
		return context.WithCancel(a.life)
	}
	return context.WithTimeout(a.life, timeout)
}
