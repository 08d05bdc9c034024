package script

import (
	"context"
	"sync"
)

// chain runs functions one after the other, in the order of their coming, on a
// goroutine that is there while there are any.
type chain struct {
	mu    sync.Mutex // guards all below
	queue []func()
	busy  bool
}

func (c *chain) do(workers *sync.WaitGroup, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, f)
	if !c.busy {
		c.busy = true
		workers.Go(c.work)
	}
}

func (c *chain) work() {
	for {
		c.mu.Lock()
		queue := c.queue
		c.queue = nil
		c.busy = len(queue) > 0
		c.mu.Unlock()
		if len(queue) == 0 {
			return
		}
		for _, f := range queue {
			f()
		}
	}
}

// wait waits until what has come before is through.
func (c *chain) wait(ctx context.Context, workers *sync.WaitGroup) {
	c.mu.Lock()
	idle := !c.busy
	c.mu.Unlock()
	if idle {
		return
	}
	through := make(chan struct{})
	c.do(workers, func() { close(through) })
	select {
	case <-through:
	case <-ctx.Done():
	}
}
