package script

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/ekkojs/ipc"
)

// linkQueue is how many operations may wait for a link to connect, before
// the loop waits for it.
const linkQueue = 16384

// link is what the app has with one service of another process. Its
// operations begin in the order in which the app asked for them: an event
// published after a call does not overtake it. The worker that begins them
// runs while there are any.
type link struct {
	app  *app
	name string

	dialing sync.Mutex // held while connecting; before mu

	mu      sync.Mutex // guards all below
	queue   []func(Client, error)
	working bool
	room    chan struct{} // closed when the queue is short again; nil when nobody waits
	client  Client        // nil while there is no connection
	dirty   bool          // something was published since the last flush
}

func (a *app) opLink(op *operation) {
	id := op.id()
	a.links[id] = &link{app: a, name: op.name()}
}

// do queues an operation, which gets the connection, or why there is none. It
// must not block.
func (l *link) do(begin func(Client, error)) {
	l.mu.Lock()
	l.queue = append(l.queue, begin)
	if !l.working {
		l.working = true
		l.app.workers.Go(l.work)
	}
	if len(l.queue) < linkQueue {
		l.mu.Unlock()
		return
	}
	if l.room == nil {
		l.room = make(chan struct{})
	}
	room := l.room
	l.mu.Unlock()
	select {
	case <-room:
	case <-l.app.life.Done():
	}
}

// work begins the queued operations in order.
func (l *link) work() {
	for {
		l.mu.Lock()
		queue := l.queue
		l.queue = nil
		if l.room != nil {
			close(l.room)
			l.room = nil
		}
		l.working = len(queue) > 0
		l.mu.Unlock()
		if len(queue) == 0 {
			return
		}
		for _, begin := range queue {
			begin(l.connect(l.app.life))
		}
	}
}

// connect returns the connection, which it opens if there is none. It is
// tried anew for each operation: a service that was down may be up now.
func (l *link) connect(ctx context.Context) (Client, error) {
	if c := l.connected(); c != nil {
		return c, nil
	}
	l.dialing.Lock()
	defer l.dialing.Unlock()
	if c := l.connected(); c != nil {
		return c, nil
	}
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	c, err := l.app.Dial(ctx, l.name, l.stray)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.client = c
	return c, nil
}

func (l *link) connected() Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.client
}

// stray is told of what no call returns: a refused event, but also the late
// answer to a call that was given up, which nobody wants to hear of.
func (l *link) stray(err error) {
	switch ipc.CodeOf(err) {
	case ipc.CodeDeadlineExceeded, ipc.CodeCancelled:
		return
	}
	l.refused("an event", err)
}

// refused warns the app of an event that did not arrive.
func (l *link) refused(event string, err error) { l.app.refused(l.name, event, err) }

func (a *app) refused(service, event string, err error) {
	a.inbox.put(func(dst []byte) []byte {
		dst = appendText(append(dst, `"refused",`...), service)
		dst = appendText(append(dst, ','), event)
		return appendError(dst, err)
	})
}

// opClose ends the connection. What comes after opens another.
func (a *app) opClose(op *operation) {
	l := a.links[op.id()]
	l.do(func(Client, error) { a.workers.Go(l.close) })
}

func (l *link) close() {
	l.mu.Lock()
	c := l.client
	l.client = nil
	l.mu.Unlock()
	if c != nil {
		c.Close()
	}
}

// flush waits until the service has what the app published, if anything.
func (l *link) flush(ctx context.Context) {
	begun := make(chan Client, 1)
	l.mu.Lock()
	idle := !l.working && !l.dirty
	l.mu.Unlock()
	if idle {
		return
	}
	l.do(func(c Client, _ error) { begun <- c })
	select {
	case c := <-begun:
		if c != nil && l.clean() {
			c.Flush(ctx) // what it has refused is in the inbox by then
		}
	case <-ctx.Done():
	}
}

// clean notes that what was published is being flushed, and reports whether
// there is anything.
func (l *link) clean() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.dirty
	l.dirty = false
	return was
}

func (l *link) soil() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dirty = true
}

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
	method, data := op.name(), op.data()
	ctx, cancel := a.deadline(timeout)
	a.calls.add(id, cancel)
	turn, entering := make(chan connection, 1), make(chan struct{})
	l.do(func(c Client, err error) {
		turn <- connection{c, err}
		<-entering
	})
	a.workers.Go(func() {
		defer a.calls.remove(id)
		result, err := begin(ctx, turn, entering, func(c Client) ([]byte, error) { return c.Call(ctx, method, data) })
		a.inbox.put(func(dst []byte) []byte {
			if err != nil {
				return appendError(appendHead(dst, "failure", id), err)
			}
			return appendData(appendHead(dst, "result", id), result)
		})
	})
}

// connection is what a queued call gets when it is its turn.
type connection struct {
	client Client
	err    error
}

// begin waits for the turn of a call, but not longer than its time, lets the
// queue go on, and makes the call.
func begin(ctx context.Context, turn <-chan connection, entering chan<- struct{}, call func(Client) ([]byte, error)) ([]byte, error) {
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
		timeout = time.Duration(ms * float64(time.Millisecond))
	}
	if timeout <= 0 {
		return context.WithCancel(a.life)
	}
	return context.WithTimeout(a.life, timeout)
}

// opPublish publishes an event: to a service, or as a service of the app.
func (a *app) opPublish(op *operation) {
	kind, id, event, data := op.text(), op.id(), op.name(), op.data()
	if kind == "service" {
		// Nobody can be listening to a service that has ended.
		if s := a.services[id]; s != nil {
			if err := s.publish(a.life, event, data); err != nil {
				a.refused("the subscribers of "+s.name, event, err)
			}
		}
		return
	}
	l := a.links[id]
	l.do(func(c Client, err error) {
		if err == nil {
			err = c.Publish(a.life, event, data)
			l.soil()
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			l.refused(event, err)
		}
	})
}
