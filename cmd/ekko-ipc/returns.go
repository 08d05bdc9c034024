package main

import (
	"sync"

	"github.com/ekkojs/ipc/observe"
	"github.com/ekkojs/ipc/wire"
)

// returns notices that a service agrees to subscriptions once more, which is
// when a connection that was lost is back.
type returns struct {
	seen chan struct{} // holds a token when that has happened

	mu       sync.Mutex // guards all below
	expected bool       // the subscriptions of the beginning are made
	asked    []string   // the messages that ask for others, and have no answer yet
}

// tap returns what the connection is watched by.
func (r *returns) tap() *observe.Tap {
	r.seen = make(chan struct{}, 1)
	tap := new(observe.Tap)
	tap.Listen(r.read)
	return tap
}

// expect is called when all is subscribed to.
func (r *returns) expect() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expected = true
}

func (r *returns) read(e *observe.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := e.Direction == observe.Sent
	if !r.expected || !sent && len(r.asked) == 0 {
		return // as nearly always
	}
	var m wire.Message
	if wire.DefaultLimits.Decode(e.Frame, &m) != nil {
		return
	}
	switch {
	case sent && m.Type == wire.TypeSubscribe:
		r.asked = append(r.asked, askedID(&m))
	case !sent && m.Type == wire.TypeResponse:
		r.answeredLocked(&m)
	}
}

// answeredLocked looks whether a message is the answer that is waited for.
// What was asked before it has none: its connection was lost too.
func (r *returns) answeredLocked(m *wire.Message) {
	for i, id := range r.asked {
		if id != string(m.CorrelationID) {
			continue
		}
		r.asked = r.asked[i+1:]
		if len(m.Error) > 0 {
			return
		}
		select {
		case r.seen <- struct{}{}:
		default: // of several subscriptions it is said once
		}
		return
	}
}
