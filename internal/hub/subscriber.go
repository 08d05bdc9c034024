package hub

import (
	"errors"

	"github.com/ekkojs/ipc/wire"
)

// ErrClosed is what a Subscriber that was closed answers.
var ErrClosed = errors.New("hub: subscriber is closed")

// Policy says what becomes of a subscription whose events are not taken in
// time.
type Policy uint8

// The policies. With several subscriptions that match an event,
// PolicyDisconnect wins.
const (
	// PolicyDropOldest drops the oldest events and announces the gap.
	PolicyDropOldest Policy = iota
	// PolicyDisconnect closes the subscriber instead of losing an event.
	PolicyDisconnect
)

// SubscriberOptions adjusts AttachWith. A nil *SubscriberOptions means the
// defaults.
type SubscriberOptions struct {
	// QueueMessages and QueueBytes bound what waits. Defaults and ceilings
	// as in Options.
	QueueMessages int
	QueueBytes    int

	// OnSlow is called once if the subscriber is closed for being slow, with
	// a SLOW_CONSUMER error. It is called by a publisher, with no lock held,
	// and must not block. Default nil: Err tells.
	OnSlow func(error)
}

// SubscribeOptions adjusts Subscribe. A nil *SubscribeOptions means the
// defaults.
type SubscribeOptions struct {
	Policy Policy // default PolicyDropOldest
}

// Cursor is a place in a channel's sequence.
type Cursor struct {
	Epoch string
	Seq   uint64
}

// Start is where the delivery of a subscription begins: this event is the
// first that was not published before it.
type Start struct {
	// Cursor is the start in a literal subscription's channel; for a pattern
	// that in each channel that Channels does not list.
	Cursor
	// Channels has the channels that a pattern matched when it was
	// subscribed to. It is nil for a literal subscription.
	Channels map[string]Cursor
}

// Subscriber is one receiver of events, with its subscriptions and its queue.
//
// AppendTo and Next may be called by one goroutine at a time; the other
// methods at any time from any goroutine.
type Subscriber struct {
	hub   *Hub
	queue queue

	// Guarded by index.mu.
	subscriptions map[string]*subscription
	detached      error  // why it has no subscriptions any more
	mark          uint64 // the matching that last met it
	markedAt      int    // where that put it
}

func newSubscriber(h *Hub, notify func(), o *SubscriberOptions) *Subscriber {
	if o == nil {
		o = &SubscriberOptions{}
	}
	s := &Subscriber{hub: h}
	s.queue.notify, s.queue.onSlow = notify, o.OnSlow
	s.queue.maxMessages = orDefault(o.QueueMessages, h.options.QueueMessages, MaxQueueMessages)
	s.queue.maxBytes = orDefault(o.QueueBytes, h.options.QueueBytes, MaxQueueBytes)
	return s
}

// Subscribe adds a subscription and returns its id and where its delivery
// starts: of each channel exactly the events from there on are delivered or
// announced as lost, until Unsubscribe. A leading "events." of pattern is
// ignored. The error is INVALID_PATTERN, QUOTA_EXCEEDED or what Err returns.
func (s *Subscriber) Subscribe(pattern string, o *SubscribeOptions) (id string, start Start, err error) {
	pattern = eventName(pattern)
	parsed, err := wire.ParsePattern(pattern)
	if err != nil {
		return "", Start{}, err
	}
	sub := &subscription{id: wire.NewUUID(), pattern: pattern, literal: parsed.IsLiteral(), subscriber: s}
	if o != nil {
		sub.policy = o.Policy
	}
	add := func() error { return s.hub.index.add(sub, s.hub.options.MaxSubscriptions) }
	if sub.literal {
		start.Cursor, err = s.hub.topics.subscribeLiteral(pattern, add)
	} else {
		start, err = s.hub.topics.subscribePattern(parsed, add)
	}
	if err != nil {
		return "", Start{}, err
	}
	return sub.id, start, nil
}

// Unsubscribe ends the subscription with that id, and reports whether there
// was one. What already waits is still delivered.
func (s *Subscriber) Unsubscribe(id string) bool { return s.hub.index.remove(s, id) }

// Close ends all subscriptions and drops what waits. It is idempotent.
func (s *Subscriber) Close() {
	s.queue.close()
	s.hub.index.detach(s)
}

// Err returns nil, ErrClosed after Close, or a SLOW_CONSUMER error if the
// subscriber was closed for being slow.
func (s *Subscriber) Err() error { return s.hub.index.reason(s) }

// Pending reports whether AppendTo or Next has something to give.
func (s *Subscriber) Pending() bool { return s.queue.pending() }
