package hub

import (
	"sync"
	"time"

	"github.com/ekkojs/ipc/store"
)

// burials are the messages of a stream that are on their way to its dead
// letters.
type burials struct {
	mu   sync.Mutex
	n    int
	over chan struct{} // closed when there are none any more; nil if there are none
}

// burialPatience is how long somebody who wants to look waits for them.
const burialPatience = time.Second

// bury is log.Append for a dead letter.
func (b *burials) bury(log store.Log, rec store.Record, done func(store.Receipt)) {
	b.mu.Lock()
	if b.n++; b.n == 1 {
		b.over = make(chan struct{})
	}
	b.mu.Unlock()
	log.Append(rec, func(r store.Receipt) {
		done(r)
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.n--; b.n == 0 {
			close(b.over)
			b.over = nil
		}
	})
}

// wait returns when those under way are kept, or after a while: a disk may
// hang.
func (b *burials) wait() {
	b.mu.Lock()
	over := b.over
	b.mu.Unlock()
	if over == nil {
		return
	}
	t := time.NewTimer(burialPatience)
	defer t.Stop()
	select {
	case <-over:
	case <-t.C:
	}
}
