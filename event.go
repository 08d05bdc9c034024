package ipc

import (
	"context"
	"time"
)

// Event is one event of a subscription.
type Event struct {
	Name    string // "user.created"
	Channel string // as on the wire: "events.user.created"
	Stream  string // what Seq counts the events of: the channel that carries the event, or its own name
	Data    Raw
	ID      string // unique; the messageId
	Time    time.Time
	Seq     uint64 // counts the events of Stream, within Epoch
	Epoch   string // changes when the counting starts anew

	// Gap says what of Stream this subscription has lost since its previous
	// event. Nil: nothing.
	Gap *Gap

	// Snapshot: Data is the state of the channel, and not a change of it.
	Snapshot bool

	// Redelivered says that a member of the group may have seen it before,
	// and Deliveries how often it has been given to one, this time included.
	// Events that nobody has to acknowledge have neither.
	Redelivered bool
	Deliveries  int

	sub        *Subscription
	connection uint64 // which of the client's connections it came by
	settled    bool   // it has been acknowledged, or given back
}

// Decode stores the event's data in v.
func (e *Event) Decode(v any) error { return e.Data.Decode(v) }

// Ack says that the event has been dealt with, so that its group never gets
// it again. It is for subscriptions with a Group or Durable name, and for
// queues; to others it does nothing. It returns when the service has noted
// it; NOT_FOUND means that the event is not this subscriber's to acknowledge
// any more, because it took too long or the connection was lost.
func (e *Event) Ack(ctx context.Context) error { return e.settle(ctx, settlement{verb: "ack"}) }

// Nak gives the event back: it comes again, to this member of the group or to
// another, after delay.
func (e *Event) Nak(ctx context.Context, delay time.Duration) error {
	return e.settle(ctx, settlement{verb: "nak", delay: delay})
}

// Reject says that nobody will be able to deal with the event: it becomes a
// dead letter, with reason for people to read.
func (e *Event) Reject(ctx context.Context, reason string) error {
	return e.settle(ctx, settlement{verb: "reject", reason: reason})
}

// settlement is what a member of a group says of an event.
type settlement struct {
	verb   string
	delay  time.Duration
	reason string
}

func (e *Event) settle(ctx context.Context, s settlement) error {
	if e.sub == nil || !e.sub.grouped || e.Seq == 0 {
		return nil
	}
	e.settled = true
	return e.sub.settle(ctx, e, s)
}

// Gap is what a subscriber has lost of a stream: of the events with these
// sequence numbers, both included, Count.
type Gap struct {
	From, To uint64 // To is 0 when nobody knows how many
	Count    uint64 // likewise; at most, where Reason is not GapSlowConsumer and only some of the stream's events are subscribed to
	Reason   string
}

// The reasons of a Gap.
const (
	GapSlowConsumer = "slow-consumer" // the reader did not keep up
	GapRestarted    = "restarted"     // the service was started anew meanwhile
	GapLost         = "lost"          // published while the connection was down, and not kept
	GapExpired      = "expired"       // the limits of the channel removed them
	GapDataLoss     = "data-loss"     // the service's disk has lost them
)

// after is what of g comes after an event; nil if nothing does.
func (g *Gap) after(seq uint64) *Gap {
	switch {
	case g.To != 0 && g.To <= seq:
		return nil
	case g.From > seq:
		return g
	}
	rest := *g
	if rest.From = seq + 1; rest.To != 0 {
		rest.Count = min(g.Count, rest.To-seq)
	}
	return &rest
}

// and joins g to one that comes after it; both may be nil.
func (g *Gap) and(later *Gap) *Gap {
	switch {
	case g == nil:
		return later
	case later == nil:
		return g
	}
	joined := *g
	joined.From, joined.To, joined.Count = min(g.From, later.From), max(g.To, later.To), g.Count+later.Count
	if later.To == 0 || g.To == 0 {
		joined.To, joined.Count = 0, 0
	} else { // of each of them some may be counted that has come all the same
		joined.Count = min(joined.Count, joined.To-joined.From+1)
	}
	if joined.Reason == GapSlowConsumer {
		joined.Reason = later.Reason // the others say more
	}
	return &joined
}
