package ipc

import (
	"sync"

	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/wire"
)

// local moves events from the hub to a subscription within the service.
type local struct {
	sub  *Subscription
	from *hub.Subscriber

	mu sync.Mutex // one mover at a time, so that the order is kept
}

// drain is the hub's notification that events wait.
func (l *local) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		frame, ok := l.from.Next()
		if !ok {
			return
		}
		var m wire.Message
		var md wire.Metadata
		if err := (*wire.Limits)(nil).Decode(frame, &m); err != nil {
			panic("ipc: the hub made a frame that cannot be read: " + err.Error())
		}
		if m.Metadata != nil {
			if err := (*wire.Limits)(nil).DecodeMetadata(m.Metadata, &md); err != nil {
				panic("ipc: the hub made metadata that cannot be read: " + err.Error())
			}
		}
		if md.Gap == nil { // a gap shows in the numbers of the next event
			l.sub.offer(eventOf(&m, &md))
		}
	}
}
