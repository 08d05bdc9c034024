package script

import (
	"runtime"
	"sync"
	"testing"
)

// TestCrew: nobody waits for his turn, however many there are, and no more
// goroutines stay than are meant to.
func TestCrew(t *testing.T) {
	var workers, running sync.WaitGroup
	over := make(chan struct{})
	c := newCrew(&workers, over)
	for range 2 {
		release := make(chan struct{})
		for range mostIdle + 10 {
			running.Add(1)
			c.do(func() {
				running.Done()
				<-release
			})
		}
		running.Wait() // all of them at once
		close(release)
		for c.idle.Load() != mostIdle { // ten have gone
			runtime.Gosched()
		}
	}
	close(over)
	workers.Wait()
}
