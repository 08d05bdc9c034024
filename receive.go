package ipc

import (
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// plainChannel is where a service says that a subscription has become a plain
// one.
const plainChannel = "ipc.plain"

// listener is the side of a Client that one of its sessions talks to. Of the
// events that come one after the other most are of one name and stream, so it
// keeps what it knows of the last one.
type listener struct {
	client     *Client
	connection uint64 // counts the sessions of the client
	clock      wire.Unstamper

	// Of the last event. The subscriptions are right as long as the client's
	// audience is still the same.
	kind     *eventKind
	audience uint64
	plain    []*Subscription // those whose events carry no id
	tag      string
	tagged   *Subscription // whose events carry tag; nil if there is none
}

// Event implements session.Handler. It runs on whatever goroutine reads, one
// at a time.
func (l *listener) Event(in *session.Inbound) {
	if !l.kind.is(&in.Message, &in.Meta) || l.audience != l.client.audience.Load() {
		if string(in.Channel) == plainChannel {
			l.client.merged(string(in.Meta.Subscription), Raw(in.Data))
			return
		}
		l.look(in)
	}
	if in.Meta.Subscription != nil {
		if string(in.Meta.Subscription) != l.tag {
			l.lookTagged(in)
		}
		if l.tagged != nil {
			l.arrival(in).give(l.tagged)
		}
		return
	}
	if len(l.plain) == 0 {
		return
	}
	a := l.arrival(in)
	for _, sub := range l.plain {
		a.give(sub)
	}
}

func (l *listener) arrival(in *session.Inbound) arrival {
	return arrival{
		kind: l.kind, message: &in.Message, meta: &in.Meta,
		time: l.clock.Parse(in.Timestamp), connection: l.connection,
	}
}

// give hands the event, or the gap notice, to a subscription.
func (a arrival) give(sub *Subscription) {
	if g := a.meta.Gap; g != nil {
		sub.missed(a.kind, &Gap{From: g.From, To: g.To, Count: g.Lost(), Reason: g.Reason})
		return
	}
	sub.offer(&a)
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
		if sub.wants(l.kind.name, l.kind.stream) && sub.sharesOn(l.connection) {
			l.plain = append(l.plain, sub)
		}
	}
}

// merged notes that the events of a subscription come without an id from now
// on: it shares them with the other plain ones.
func (c *Client) merged(id string, data Raw) {
	c.mu.Lock()
	sub := c.separate[id]
	delete(c.separate, id)
	c.audience.Add(1)
	c.mu.Unlock()
	if sub == nil {
		return
	}
	var a agreement
	if len(data) == 0 || data.Decode(&a) != nil || a.Subscription == "" {
		sub.share(nil) // it takes what comes as it comes
		return
	}
	sub.share(a.starts(sub))
}

// lookTagged finds the subscription that the event is for.
func (l *listener) lookTagged(in *session.Inbound) {
	c := l.client
	c.mu.Lock()
	defer c.mu.Unlock()
	l.tag = string(in.Meta.Subscription)
	l.tagged = c.separate[l.tag]
}

const (
	// uuidSize is how long the id of an event is that was not confirmed.
	uuidSize = 36
	// maxFarewells bounds what a service may say of subscriptions that it has
	// not agreed to.
	maxFarewells = 64
)

// Stray implements session.Handler: the service has ended a subscription, or
// refuses an event.
func (l *listener) Stray(id []byte, err *Error) {
	c := l.client
	sub, early := c.farewellTo(string(id), err)
	switch {
	case early:
		return
	case sub == nil:
		c.opts.OnError(err)
		return
	}
	// unsubscribe asks the service, which the goroutine that reads must not
	// wait for.
	sub.left()
	if sub.stop(err) {
		c.workers.Go(func() { c.unsubscribe(sub) })
	}
}

// eventKind is what events of one name and stream have in common.
type eventKind struct {
	channel, name, stream, epoch string
}

func kindOf(m *wire.Message, md *wire.Metadata) *eventKind {
	k := &eventKind{channel: string(m.Channel), stream: string(md.Stream), epoch: string(md.Epoch)}
	k.name = string(wire.EventName(m.Channel))
	if k.stream == "" {
		k.stream = k.name
	}
	return k
}

// is reports whether the event is of this kind; none is of kind nil.
func (k *eventKind) is(m *wire.Message, md *wire.Metadata) bool {
	if k == nil || string(m.Channel) != k.channel || string(md.Epoch) != k.epoch {
		return false
	}
	if md.Stream == nil {
		return k.stream == k.name
	}
	return string(md.Stream) == k.stream
}
