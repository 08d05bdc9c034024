package disk

import (
	"sync"
	"time"
)

// chore is something to be done a little later, once for all who asked for it
// meanwhile, by a goroutine that ends with it. The zero value is ready.
type chore struct {
	mu      sync.Mutex
	timer   *time.Timer // nil: nothing is to be done
	ended   bool
	running sync.WaitGroup
}

// after has f called after d, unless something is to be called already.
func (c *chore) after(d time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil || c.ended {
		return
	}
	c.running.Add(1)
	c.timer = time.AfterFunc(d, func() {
		defer c.running.Done()
		c.mu.Lock()
		c.timer = nil
		c.mu.Unlock()
		f()
	})
}

// end calls nothing any more, and waits for what is being called.
func (c *chore) end() {
	c.mu.Lock()
	c.ended = true
	if c.timer != nil && c.timer.Stop() {
		c.running.Done()
		c.timer = nil
	}
	c.mu.Unlock()
	c.running.Wait()
}
