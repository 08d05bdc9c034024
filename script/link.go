package script

import (
	"context"
	"sync"

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
	kept chain // what is published with a receipt

	dialing sync.Mutex // held while connecting; before mu

	mu      sync.Mutex // guards all below
	queue   []func()
	working bool
	room    chan struct{} // closed when the queue is short again; nil when nobody waits
	client  Client        // nil while there is no connection
	dirty   bool          // something was published since the last flush
}

func (a *app) opLink(op *operation) {
	id := op.id()
	a.links[id] = &link{app: a, name: op.name()}
}

// do queues the beginning of an operation.
func (l *link) do(begin func()) {
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
			begin()
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
	l.refused("publishing an event", err)
}

// refused warns the app of what did not arrive.
func (l *link) refused(doing string, err error) { l.app.refused(l.name, doing, err) }

func (a *app) refused(service, doing string, err error) {
	a.inbox.put(func(dst []byte) []byte {
		dst = appendText(append(dst, `"refused",`...), service)
		dst = appendText(append(dst, ','), doing)
		return appendError(dst, err)
	})
}

// opClose ends the connection. What comes after opens another.
func (a *app) opClose(op *operation) {
	l := a.links[op.id()]
	l.do(func() {
		if c := l.detach(); c != nil {
			a.workers.Go(func() { c.Close() })
		}
	})
}

// detach makes the link forget its connection, which it returns.
func (l *link) detach() Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.client
	l.client = nil
	return c
}

// close ends the connection with the app.
func (l *link) close() {
	if c := l.detach(); c != nil {
		c.Close()
	}
}

// flush waits until the service has what the app published, if anything.
func (l *link) flush(ctx context.Context) {
	defer l.kept.wait(ctx, &l.app.workers)
	begun := make(chan Client, 1)
	l.mu.Lock()
	idle := !l.working && !l.dirty
	l.mu.Unlock()
	if idle {
		return
	}
	l.do(func() { begun <- l.connected() })
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
