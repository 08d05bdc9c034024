package ipc

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// Event is one event of a subscription.
type Event struct {
	Name    string // "user.created"
	Channel string // as on the wire: "events.user.created"
	Data    Raw
	ID      string // unique; the messageId
	Time    time.Time
	Seq     uint64 // counts the events of this channel, within Epoch
	Epoch   string // changes when the service starts anew

	// Gap says what is missing between the previous event of this channel
	// and this one. Nil: nothing.
	Gap *Gap

	connection uint64 // which of the client's connections it came by
}

// Decode stores the event's data in v.
func (e *Event) Decode(v any) error { return e.Data.Decode(v) }

// Gap is what a subscriber has not seen of a channel.
type Gap struct {
	From, To uint64 // sequence numbers, both included; To is 0 when nobody knows how many
	Reason   string
}

// The reasons of a Gap.
const (
	GapSlowConsumer = "slow-consumer" // the reader did not keep up
	GapRestarted    = "restarted"     // the service was started anew meanwhile
	GapLost         = "lost"          // published while the connection was down
)

// SubscribeOptions adjusts Subscribe. A nil *SubscribeOptions means the
// defaults.
type SubscribeOptions struct {
	// Queue is how many events wait for a reader that is busy, before the
	// oldest are dropped. Default 4,096.
	Queue int

	// QueueBytes is the same in bytes of data. Default 8 MiB.
	QueueBytes int
}

// The defaults of SubscribeOptions.
const (
	DefaultQueue      = 4096
	DefaultQueueBytes = 8 << 20
)

// Subscription is a stream of events, taken by Next or All. One goroutine
// reads it; Close may be called from any.
type Subscription struct {
	name    string
	pattern wire.Pattern
	queue   int
	bytes   int
	ended   func(*Subscription) // undoes what Subscribe did

	mu      sync.Mutex // guards all below
	waiting []*Event
	held    int           // bytes of data in waiting
	ready   chan struct{} // holds one token when waiting or err may have changed
	err     error         // why there will be no more
	last    map[string]cursor
	id      string // at the service; "" while the connection is down
}

type cursor struct {
	epoch      string
	seq        uint64
	connection uint64
}

// maxCursors bounds the channels of which a subscription notices gaps.
const maxCursors = 4096

func newSubscription(pattern string, opts *SubscribeOptions, ended func(*Subscription)) (*Subscription, error) {
	name := string(wire.EventName([]byte(pattern)))
	parsed, err := wire.ParsePattern(name)
	if err != nil {
		return nil, err
	}
	s := &Subscription{
		name: name, pattern: parsed, queue: DefaultQueue, bytes: DefaultQueueBytes, ended: ended,
		ready: make(chan struct{}, 1), last: map[string]cursor{},
	}
	if opts != nil && opts.Queue > 0 {
		s.queue = opts.Queue
	}
	if opts != nil && opts.QueueBytes > 0 {
		s.bytes = opts.QueueBytes
	}
	return s, nil
}

// Pattern returns what was subscribed to.
func (s *Subscription) Pattern() string { return s.name }

// Next returns the next event, waiting for it. The error is ctx's, or
// ErrClosed after Close, or why the subscription ended; events that came
// before are returned first.
func (s *Subscription) Next(ctx context.Context) (*Event, error) {
	for {
		event, err := s.take()
		if event != nil || err != nil {
			return event, err
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// All returns the events until the subscription ends, ctx ends or the loop is
// left, and closes the subscription then. The last pair holds the error,
// unless that is the end of the subscription by Close.
func (s *Subscription) All(ctx context.Context) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		defer s.Close()
		for {
			event, err := s.Next(ctx)
			if err == ErrClosed || !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the subscription. It is idempotent.
func (s *Subscription) Close() error {
	s.finish(ErrClosed)
	return nil
}

// finish ends the subscription with the error that Next is to return.
func (s *Subscription) finish(err error) {
	s.mu.Lock()
	first := s.err == nil
	if first {
		s.err = err
		s.wakeLocked()
	}
	s.mu.Unlock()
	if first && s.ended != nil {
		s.ended(s)
	}
}

func (s *Subscription) wakeLocked() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// offer gives an event to the reader and never waits: the oldest events make
// room for it.
func (s *Subscription) offer(e *Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.waiting = append(s.waiting, e)
	s.held += len(e.Data)
	drop := 0
	for len(s.waiting)-drop > 1 && (len(s.waiting)-drop > s.queue || s.held > s.bytes) {
		s.held -= len(s.waiting[drop].Data)
		drop++
	}
	s.waiting = slices.Delete(s.waiting, 0, drop)
	s.wakeLocked()
}

// take removes the oldest event, and finds what is missing before it.
func (s *Subscription) take() (*Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return nil, s.err
	}
	e := s.waiting[0]
	s.waiting[0] = nil
	if s.waiting = s.waiting[1:]; len(s.waiting) == 0 {
		s.waiting = nil
	}
	s.held -= len(e.Data)
	s.noteLocked(e)
	if len(s.waiting) > 0 || s.err != nil {
		s.wakeLocked()
	}
	return e, nil
}

// noteLocked compares e with the previous event of its channel. What the hub
// dropped, what was dropped here and what the connection lost all show in the
// sequence numbers.
func (s *Subscription) noteLocked(e *Event) {
	last, seen := s.last[e.Name]
	switch {
	case e.Epoch == "" || !seen:
	case e.Epoch != last.epoch:
		e.Gap = &Gap{From: last.seq + 1, Reason: GapRestarted}
	case e.Seq > last.seq+1:
		e.Gap = &Gap{From: last.seq + 1, To: e.Seq - 1, Reason: GapSlowConsumer}
		if e.connection != last.connection {
			e.Gap.Reason = GapLost
		}
	}
	if seen || len(s.last) < maxCursors {
		s.last[e.Name] = cursor{e.Epoch, e.Seq, e.connection}
	}
}

// startAt notes where a channel stood when the subscription began, so that
// the first event shows a gap too.
func (s *Subscription) startAt(name string, c cursor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, seen := s.last[name]; !seen && c.seq > 0 && len(s.last) < maxCursors {
		s.last[name] = cursor{c.epoch, c.seq - 1, c.connection}
	}
}

// eventOf makes an Event of a message, whose bytes it copies.
func eventOf(m *wire.Message, md *wire.Metadata) *Event {
	e := &Event{
		Channel: string(m.Channel),
		ID:      string(m.MessageID),
		Data:    append(Raw(nil), m.Data...),
		Seq:     md.Seq,
		Epoch:   string(md.Epoch),
	}
	e.Name = string(wire.EventName([]byte(e.Channel)))
	if t, err := time.Parse(time.RFC3339Nano, string(m.Timestamp)); err == nil {
		e.Time = t // a wrong one is ignored, never fatal
	}
	return e
}
