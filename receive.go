package ipc

import (
	"unsafe"

	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// listener is the side of a Client that one of its sessions talks to. Of the
// events that come one after the other most are of one name and stream, so it
// keeps what it knows of the last one.
type listener struct {
	client     *Client
	connection uint64 // counts the sessions of the client
	shelf      shelf

	// Of the last event. The subscriptions are right as long as the client's
	// audience is still the same.
	kind     eventKind
	audience uint64
	plain    []*Subscription // those whose events carry no id
	tag      string
	tagged   *Subscription // whose events carry tag; nil if there is none
}

// Event implements session.Handler. It runs on whatever goroutine reads, one
// at a time.
func (l *listener) Event(in *session.Inbound) {
	if !l.kind.is(&in.Message, &in.Meta) || l.audience != l.client.audience.Load() {
		l.look(in)
	}
	if in.Meta.Subscription != nil {
		if string(in.Meta.Subscription) != l.tag {
			l.lookTagged(in)
		}
		if l.tagged != nil {
			l.give(in, nil, l.tagged)
		}
		return
	}
	var event *Event // shared by the subscriptions that want it, but for what differs
	for _, sub := range l.plain {
		event = l.give(in, event, sub)
	}
}

// look finds out who wants events like this one.
func (l *listener) look(in *session.Inbound) {
	c := l.client
	c.mu.Lock()
	defer c.mu.Unlock()
	l.kind = kindOf(&in.Message, &in.Meta)
	l.audience = c.audience.Load()
	l.tag, l.tagged = "", nil
	clear(l.plain)
	l.plain = l.plain[:0]
	for sub := range c.subscriptions {
		if sub.wants(l.kind.name, l.kind.stream) && !c.isSeparate(sub) {
			l.plain = append(l.plain, sub)
		}
	}
}

// lookTagged finds the subscription that the event is for.
func (l *listener) lookTagged(in *session.Inbound) {
	c := l.client
	c.mu.Lock()
	defer c.mu.Unlock()
	l.tag = string(in.Meta.Subscription)
	l.tagged = c.separate[l.tag]
}

// give hands a message to a subscription. Another one has had it as event,
// unless that is nil.
func (l *listener) give(in *session.Inbound, event *Event, sub *Subscription) *Event {
	if g := in.Meta.Gap; g != nil {
		sub.missed(l.kind.stream, &Gap{From: g.From, To: g.To, Count: g.Lost(), Reason: g.Reason})
		return nil
	}
	if event == nil {
		event = l.shelf.event(&l.kind, &in.Message, &in.Meta)
	} else {
		copied := *event
		copied.Gap = nil
		event = &copied
	}
	event.connection = l.connection
	sub.offer(event)
	return event
}

// Stray implements session.Handler: the service has ended a subscription, or
// refuses an event.
func (l *listener) Stray(id []byte, err *Error) {
	c := l.client
	sub := c.subscriptionOf(string(id))
	if sub == nil {
		c.opts.OnError(err)
		return
	}
	// finish takes the client's lock and asks the service, which the
	// goroutine that reads must not wait for.
	sub.left()
	c.workers.Go(func() { sub.finish(err) })
}

// eventKind is what events of one name and stream have in common.
type eventKind struct {
	channel, name, stream, epoch string
}

func kindOf(m *wire.Message, md *wire.Metadata) eventKind {
	k := eventKind{channel: string(m.Channel), stream: string(md.Stream), epoch: string(md.Epoch)}
	k.name = string(wire.EventName(m.Channel))
	if k.stream == "" {
		k.stream = k.name
	}
	return k
}

// is reports whether the event is of this kind.
func (k *eventKind) is(m *wire.Message, md *wire.Metadata) bool {
	if string(m.Channel) != k.channel || string(md.Epoch) != k.epoch {
		return false
	}
	if md.Stream == nil {
		return k.stream == k.name
	}
	return string(md.Stream) == k.stream
}

// The sizes of what a shelf takes from memory at once.
const (
	shelfEvents = 32
	shelfBytes  = 4 << 10
)

// shelf makes events. Their memory is taken in pieces for several, so one
// event that is kept keeps a few KiB. The zero shelf is ready; it is for one
// goroutine.
type shelf struct {
	events []Event
	bytes  []byte
	clock  wire.Unstamper
}

// event makes an Event of a message, whose bytes it copies.
func (s *shelf) event(k *eventKind, m *wire.Message, md *wire.Metadata) *Event {
	if len(s.events) == 0 {
		s.events = make([]Event, shelfEvents)
	}
	e := &s.events[0]
	s.events = s.events[1:]
	e.Channel, e.Name, e.Stream, e.Epoch = k.channel, k.name, k.stream, k.epoch
	e.Data = s.copy(m.Data)
	if id := s.copy(m.MessageID); len(id) > 0 {
		e.ID = unsafe.String(&id[0], len(id)) // nobody writes there any more
	}
	e.Time = s.clock.Parse(m.Timestamp) // a wrong one is ignored, never fatal
	e.Seq = md.Seq
	e.Snapshot, e.Redelivered, e.Deliveries = md.Snapshot, md.Redelivered, int(md.Deliveries)
	return e
}

// copy returns a copy of b that nothing is appended to.
func (s *shelf) copy(b []byte) []byte {
	if len(b) > shelfBytes/4 {
		return append([]byte(nil), b...)
	}
	if len(b) > len(s.bytes) {
		s.bytes = make([]byte, shelfBytes)
	}
	n := copy(s.bytes, b)
	c := s.bytes[:n:n]
	s.bytes = s.bytes[n:]
	return c
}
