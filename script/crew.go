package script

import (
	"sync"
	"sync/atomic"
)

// mostIdle bounds the goroutines of a crew that wait for work.
const mostIdle = 256

// crew runs functions on goroutines that stay: the stack of a new one grows as
// deep as a call goes, which would cost as much as the call does.
type crew struct {
	workers *sync.WaitGroup
	over    <-chan struct{} // closed when all shall go
	next    chan func()
	idle    atomic.Int64 // how many wait for next
}

func newCrew(workers *sync.WaitGroup, over <-chan struct{}) *crew {
	return &crew{workers: workers, over: over, next: make(chan func())}
}

// do runs f, on a goroutine that waits or else a new one.
func (c *crew) do(f func()) {
	select {
	case c.next <- f:
	default:
		c.workers.Go(func() { c.work(f) })
	}
}

func (c *crew) work(f func()) {
	for {
		f()
		if c.idle.Add(1) > mostIdle {
			c.idle.Add(-1)
			return
		}
		select {
		case f = <-c.next:
			c.idle.Add(-1)
		case <-c.over:
			return
		}
	}
}
