// Package observe says what happened: a Tap carries small Event values from
// the engine to whoever listens. Logs, traces, captures and narrations only
// read it. While nobody listens a tap costs one atomic load.
package observe

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Direction is the way of a frame, seen from this process.
type Direction uint8

// The directions.
const (
	Sent Direction = iota
	Received
)

// String returns "sent" or "received".
func (d Direction) String() string {
	if d == Received {
		return "received"
	}
	return "sent"
}

// Event is one message that crossed a connection.
type Event struct {
	Time      time.Time
	Direction Direction
	Peer      string // what the connection leads to: a service's name on the client, the caller on the service
	Frame     []byte // the message as JSON; valid only while the reader runs
}

// Tap hands events to its readers. The zero value is ready for use, and a nil
// *Tap is a tap that nobody listens to. All methods may be called at any time
// from any goroutine.
type Tap struct {
	mu      sync.Mutex // orders changes of readers
	readers atomic.Pointer[[]*reader]
}

type reader struct{ read func(*Event) }

// On reports whether anybody listens, so that an event nobody reads is not
// even made.
func (t *Tap) On() bool {
	return t != nil && t.readers.Load() != nil
}

// Emit hands e to every reader, in the order they came. The readers run on
// the caller's goroutine, on the way of the message itself: they must be
// quick and must not keep e or its Frame.
func (t *Tap) Emit(e *Event) {
	if t == nil {
		return
	}
	readers := t.readers.Load()
	if readers == nil {
		return
	}
	for _, r := range *readers {
		r.read(e)
	}
}

// Listen adds a reader and returns what removes it. The reader may be called
// from several goroutines at once.
func (t *Tap) Listen(read func(*Event)) (stop func()) {
	r := &reader{read}
	t.change(func(rs []*reader) []*reader { return append(rs, r) })
	return func() {
		t.change(func(rs []*reader) []*reader {
			return slices.DeleteFunc(rs, func(x *reader) bool { return x == r })
		})
	}
}

func (t *Tap) change(edit func([]*reader) []*reader) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var now []*reader
	if p := t.readers.Load(); p != nil {
		now = slices.Clone(*p)
	}
	if now = edit(now); len(now) == 0 {
		t.readers.Store(nil)
		return
	}
	t.readers.Store(&now)
}
