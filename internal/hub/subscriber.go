package hub

import (
	"errors"
	"strconv"
	"sync/atomic"

	"github.com/ekkojs/ipc/internal/filter"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// ErrClosed is what a Subscriber that was closed answers.
var ErrClosed = errors.New("hub: subscriber is closed")

// Policy says what becomes of a subscription whose events are not taken in
// time.
type Policy uint8

// The policies. With several subscriptions that match an event, or a stream
// with one of its own, PolicyDisconnect wins.
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

	// Budget bounds what waits for several subscribers together. Default nil:
	// each for itself.
	Budget *Budget

	// Tag makes it a subscriber of one subscription, which is called so in
	// each message. Only such a one may have a Filter, or begin in the past.
	// Default "": of any number, untold.
	Tag string

	// Window is how many bytes of events are delivered before Grant says that
	// some have been read; each counts as EventCost at least. Default 0: as
	// many as the connection takes.
	Window int

	// Filter leaves out the events that do not pass it. Default nil.
	Filter *filter.Filter

	// Owner is whom Who names.
	Owner any

	// OnLoss is called when the subscriber begins to lose events, once until
	// it has caught up. It is called by a publisher, with no lock held, and
	// must not block. Default nil.
	OnLoss func()

	// OnSlow is called once if the subscriber is closed for being slow, with
	// a SLOW_CONSUMER error, or because the log that it reads fails, with
	// that error. It is called with no lock held, and must not block.
	// Default nil: Err tells.
	OnSlow func(error)
}

// SubscribeOptions adjusts Subscribe. A nil *SubscribeOptions means the
// defaults.
type SubscribeOptions struct {
	Policy Policy // default PolicyDropOldest
	From   From   // default the next event

	// Snapshot is the state that the events from From on change: delivered
	// before them as one event of its own. Default nil: none.
	Snapshot []byte
}

// Cursor is a place in a stream.
type Cursor struct {
	Epoch string
	Seq   uint64
}

// Start is where the delivery of a subscription begins.
type Start struct {
	// Cursor is the start in a literal subscription's stream; for a pattern
	// that in each stream that Channels does not list.
	Cursor
	// Stream is the name of a literal subscription's stream.
	Stream string
	// Channels has the streams that a pattern matched when it was
	// subscribed to. It is nil for a literal subscription.
	Channels map[string]Cursor
}

// Subscriber is one receiver of events, with its subscriptions and its queue.
//
// AppendTo and Next may be called by one goroutine at a time; the other
// methods at any time from any goroutine.
type Subscriber struct {
	hub    *Hub
	queue  queue
	owner  any
	lane   atomic.Pointer[lane]   // frames made for it alone; nil if there never were any
	marked bool                   // it has a turn; guarded by Outlet.mu
	member atomic.Pointer[member] // its place in a group; nil if it has none

	merges    bool         // it is to become a plain one
	replaying atomic.Int32 // streams that it has not caught up with

	// Guarded by index.mu.
	subscriptions map[uint64]*subscription
	ended         []Ended // those it had when it was detached
	detached      error   // why it has no subscriptions any more
	mark          uint64  // the matching that last met it
	markedAt      int     // where that put it
}

func newSubscriber(h *Hub, notify func(), o *SubscriberOptions) *Subscriber {
	if o == nil {
		o = &SubscriberOptions{}
	}
	s := &Subscriber{hub: h, owner: o.Owner}
	q := &s.queue
	q.pace.init(o.Window)
	q.notify, q.onLoss, q.onSlow = notify, o.OnLoss, o.OnSlow
	q.budget.budget, q.filter = o.Budget, o.Filter
	if o.Tag != "" {
		q.tag = []byte(o.Tag)
	}
	q.maxMessages = orDefault(o.QueueMessages, h.options.QueueMessages, MaxQueueMessages)
	q.maxBytes = orDefault(o.QueueBytes, h.options.QueueBytes, MaxQueueBytes)
	return s
}

// Subscribe adds a subscription and returns its id and where its delivery
// starts: of each stream exactly the events from there on that match are
// delivered or announced as lost, until Unsubscribe. A leading "events." of
// pattern is ignored. The name of a declared stream stands for all its
// events. The error is INVALID_PATTERN, INVALID_ARGUMENT, QUOTA_EXCEEDED,
// CURSOR_INVALID or what Err returns.
func (s *Subscriber) Subscribe(pattern string, o *SubscribeOptions) (id string, start Start, err error) {
	pattern = eventName(pattern)
	parsed, err := wire.ParsePattern(pattern)
	if err != nil {
		return "", Start{}, err
	}
	if o == nil {
		o = &SubscribeOptions{}
	}
	if room := s.hub.options.MaxFrame - EnvelopeRoom; len(o.Snapshot) > room {
		return "", Start{}, tooLarge(len(o.Snapshot), room)
	}
	if o.From.Kind == FromCursor && !parsed.IsLiteral() {
		return "", Start{}, wire.Errorf(wire.CodeInvalidArgument, "a cursor is a place in one stream, and %s is a pattern of many", pattern)
	}
	if s.queue.tag == nil && (o.From.Kind != FromNew || o.Snapshot != nil) {
		panic("hub: a subscription that begins in the past needs a subscriber of its own")
	}
	looked := *o
	looked.From = s.hub.Look(pattern, o.From, s.queue.filter)
	o = &looked
	e := &entrance{s: s, pattern: parsed, options: o, sub: &subscription{
		id: s.hub.lastID.Add(1), pattern: pattern, literal: parsed.IsLiteral(), policy: o.Policy, subscriber: s,
	}}
	if err := s.hub.topics.subscribe(parsed, e.enterLocked); err != nil {
		return "", Start{}, err
	}
	e.begin()
	return s.idOf(e.sub), e.start, nil
}

// has reports whether it has a subscription of that id.
func (s *Subscriber) has(id string) bool { return s.hub.index.has(s, id) }

// idOf is how a subscription of s is called outside.
func (s *Subscriber) idOf(sub *subscription) string {
	switch {
	case s.queue.tag != nil:
		return string(s.queue.tag)
	case sub.name != "":
		return sub.name
	}
	return subscriptionID(sub.id)
}

// subscriptionID is how a plain subscription is called outside.
func subscriptionID(id uint64) string { return "s" + strconv.FormatUint(id, 36) }

// parseID undoes subscriptionID; 0 is the id of none.
func parseID(id string) uint64 {
	if len(id) < 2 || id[0] != 's' {
		return 0
	}
	n, err := strconv.ParseUint(id[1:], 36, 64)
	if err != nil || subscriptionID(n) != id {
		return 0
	}
	return n
}

// Unsubscribe ends the subscription with that id, and reports whether there
// was one. What already waits is still delivered.
func (s *Subscriber) Unsubscribe(id string) bool {
	_, ok := s.hub.index.remove(s, id)
	return ok
}

// Close ends all subscriptions and drops what waits. It is idempotent.
func (s *Subscriber) Close() { s.end(nil) }

func (s *Subscriber) end(why error) {
	s.queue.close()
	s.lane.Load().close()
	s.hub.index.detach(s, why)
	if m := s.member.Load(); m != nil {
		m.leave()
	}
}

// fail closes the subscriber and says why.
func (s *Subscriber) fail(err error) {
	onSlow := s.queue.takeOnSlow()
	s.end(err)
	if onSlow != nil {
		onSlow(err)
	}
}

// Err returns nil, ErrClosed after Close, a SLOW_CONSUMER error if the
// subscriber was closed for being slow, or the error of its log.
func (s *Subscriber) Err() error { return s.hub.index.reason(s) }

// Pending reports whether AppendTo or Next has something to give.
func (s *Subscriber) Pending() bool { return s.queue.pending() || s.lane.Load().pending() }

// laneOf returns the subscriber's lane, which it makes if it has to.
func (s *Subscriber) laneOf() *lane {
	if l := s.lane.Load(); l != nil {
		return l
	}
	// Whoever closes the queue looks for a lane only afterwards.
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	l := &lane{hub: s.hub, budget: s.queue.budget.budget, notify: s.queue.notify, over: s.caughtUp, closed: s.queue.closed}
	if !s.lane.CompareAndSwap(nil, l) {
		return s.lane.Load()
	}
	return l
}

// isFor reports whether a record is for a subscriber to p that wants only what
// passes the filter, nil if that is all.
func (s *stream) isFor(p wire.Pattern, only *filter.Filter, rec *store.Record) bool {
	if rec.Group != "" || !(p.Match(rec.Name) || p.IsLiteral() && p.String() == s.Name) {
		return false
	}
	return only == nil || only.Match(rec.Data)
}

// Grant says that the receiver has read n bytes of events.
func (s *Subscriber) Grant(n int64) {
	if !s.queue.pace.grant(n) {
		return
	}
	if l := s.lane.Load(); l != nil {
		l.wake()
	}
	if notify := s.queue.wanting(); notify != nil {
		notify()
	}
}
