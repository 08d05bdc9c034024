package hub

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ekkojs/ipc/internal/filter"
	"github.com/ekkojs/ipc/wire"
)

// Outlet is what one connection hears: any number of plain subscriptions,
// which share each event, and of separate ones. It is a session's source.
//
// AppendTo may be called by one goroutine at a time; the other methods at any
// time from any goroutine.
type Outlet struct {
	hub     *Hub
	kick    func()
	options OutletOptions
	waiting atomic.Int32 // how many of ready and notes there are

	mu       sync.Mutex
	closed   bool
	plain    *Subscriber            // nil until there is a plain subscription
	separate map[string]*Subscriber // by subscription
	ready    []*Subscriber          // those with something waiting, whose turn comes in order
	notes    []byte                 // frames of say
}

// OutletOptions adjusts NewOutlet.
type OutletOptions struct {
	// QueueMessages and QueueBytes bound what waits for the plain
	// subscriptions together, and for each separate one. Defaults as in
	// Options.
	QueueMessages int
	QueueBytes    int

	// Budget bounds what waits for several outlets. Default nil: each for
	// itself.
	Budget *Budget

	// Owner is whom Who names.
	Owner any

	// OnLoss is told that events begin to be dropped, and OnEnd that a
	// subscription has ended that nobody unsubscribed, and why. The other
	// side of the connection is told of that too: an error with the
	// subscription's id. Neither may block. Default nil.
	OnLoss func()
	OnEnd  func(e Ended, err error)

	// Merged returns the data of the message by which the receiver is told
	// that the events of a subscription come without its id from now on. It
	// is called by AppendTo. Default nil: what is separate stays that.
	Merged func(id, pattern string, start Start) []byte
}

// Ended is a subscription that there is no more.
type Ended struct {
	ID, Pattern string
	Group       string // that it was a member of; "": none
	Durable     bool   // the group was its own, by its name
}

// Separate is what makes a subscription one of its own. The zero value makes
// a plain one.
type Separate struct {
	ID       string // that nobody else of the outlet has; "": a new one
	Window   int    // see SubscriberOptions
	From     From
	Filter   *filter.Filter
	Snapshot []byte // see SubscribeOptions

	// Plain makes it a plain one when it has caught up, and the receiver has
	// taken what that was. It is not for those with a Filter, or in a group.
	Plain bool

	// Team makes it a member of a group, of which Group says more. From,
	// Filter and Snapshot do not count then.
	Team  *Team
	Group GroupOptions
}

func (s *Separate) isZero() bool {
	return s.ID == "" && s.From.Kind == FromNew && s.Filter == nil && s.Snapshot == nil && s.Team == nil
}

// NewOutlet returns an outlet without subscriptions. kick is called when
// something waits after nothing did; it must not block, and may come once
// more after Close.
func (h *Hub) NewOutlet(kick func(), o *OutletOptions) *Outlet {
	out := &Outlet{hub: h, kick: kick}
	if o != nil {
		out.options = *o
	}
	return out
}

// Subscribe adds a subscription; see Subscriber.Subscribe. No two of an outlet
// have the same id. It calls neither kick nor anything else of the owner.
func (o *Outlet) Subscribe(pattern string, policy Policy, how Separate) (id string, start Start, err error) {
	if how.isZero() {
		return o.subscribePlain(pattern, policy)
	}
	if how.ID == "" {
		how.ID = subscriptionID(o.hub.lastID.Add(1))
	}
	s := o.attach(how.ID, how.Window, how.Filter)
	s.merges = how.Plain && how.Filter == nil && how.Team == nil && o.options.Merged != nil
	if err := o.keep(how.ID, s); err != nil {
		s.Close()
		return "", Start{}, err
	}
	if how.Team != nil {
		start, err = s.enlist(pattern, how.Team, &how.Group)
	} else {
		_, start, err = s.Subscribe(pattern, &SubscribeOptions{Policy: policy, From: how.From, Snapshot: how.Snapshot})
	}
	if err != nil {
		o.forget(s)
		s.Close()
		return "", Start{}, err
	}
	if s.merges && s.replaying.Load() == 0 {
		o.hub.start(s.nudge) // whoever subscribes may hold locks of a connection
	}
	return how.ID, start, nil
}

func (o *Outlet) subscribePlain(pattern string, policy Policy) (id string, start Start, err error) {
	for {
		s, err := o.plainOf()
		if err != nil {
			return "", Start{}, err
		}
		id, start, err = s.Subscribe(pattern, &SubscribeOptions{Policy: policy})
		if err == nil || s.Err() == nil {
			return id, start, err
		}
		o.forget(s) // it was slow just now: those that come have another one
	}
}

// keep enters a separate subscription.
func (o *Outlet) keep(id string, s *Subscriber) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch limit := o.hub.options.MaxSubscriptions; {
	case o.closed:
		return ErrClosed
	case o.countLocked() >= limit:
		return tooMany(limit)
	case o.separate[id] != nil, o.plain != nil && o.hub.index.has(o.plain, id):
		return wire.Errorf(wire.CodeAlreadyExists, "there is a subscription %q on this connection", id)
	}
	if o.separate == nil {
		o.separate = map[string]*Subscriber{}
	}
	o.separate[id] = s
	return nil
}

func (o *Outlet) countLocked() int {
	n := len(o.separate)
	if o.plain != nil {
		n += o.plain.Stats().Subscriptions
	}
	return n
}

// plainOf returns the subscriber of the plain subscriptions.
func (o *Outlet) plainOf() (*Subscriber, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch limit := o.hub.options.MaxSubscriptions; {
	case o.closed:
		return nil, ErrClosed
	case len(o.separate) > 0 && o.countLocked() >= limit:
		return nil, tooMany(limit)
	}
	return o.plainLocked(), nil
}

func (o *Outlet) plainLocked() *Subscriber {
	if o.plain == nil {
		o.plain = o.attach("", 0, nil)
	}
	return o.plain
}

// attach makes a subscriber whose events come out here: of one subscription,
// or with "" of the plain ones.
func (o *Outlet) attach(id string, window int, f *filter.Filter) *Subscriber {
	var s *Subscriber
	options := SubscriberOptions{
		QueueMessages: o.options.QueueMessages,
		QueueBytes:    o.options.QueueBytes,
		Budget:        o.options.Budget,
		Tag:           id,
		Window:        window,
		Filter:        f,
		Owner:         o.options.Owner,
		OnLoss:        o.options.OnLoss,
		OnSlow:        func(err error) { o.lost(s, err) },
	}
	s = newSubscriber(o.hub, nil, &options)
	s.queue.notify = func() {
		if o.mark(s) {
			o.kick()
		}
	}
	o.hub.index.attach(s)
	return s
}

// forget takes a subscriber out.
func (o *Outlet) forget(s *Subscriber) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.plain == s {
		o.plain = nil
	}
	for id, one := range o.separate {
		if one == s {
			delete(o.separate, id)
		}
	}
}

// lost is called when a subscriber has ended by itself.
func (o *Outlet) lost(s *Subscriber, err error) {
	o.forget(s)
	for _, e := range o.hub.index.endedOf(s) {
		o.say(e.ID, err)
		if o.options.OnEnd != nil {
			o.options.OnEnd(e, err)
		}
	}
}

// say tells the other side that a subscription has ended.
func (o *Outlet) say(id string, err error) {
	frame := o.hub.encoder.farewell(id, err)
	o.mu.Lock()
	idle := !o.closed && len(o.ready) == 0 && len(o.notes) == 0
	if !o.closed {
		o.notes = append(o.notes, frame...)
		o.countWaitingLocked()
	}
	o.mu.Unlock()
	if idle {
		o.kick()
	}
}

func (o *Outlet) countWaitingLocked() {
	n := len(o.ready)
	if len(o.notes) > 0 {
		n++
	}
	o.waiting.Store(int32(n))
}

// Grant says that the receiver of a separate subscription has read n bytes of
// events. Of one that there is not any more it says nothing.
func (o *Outlet) Grant(id string, n int64) {
	o.mu.Lock()
	s := o.separate[id]
	o.mu.Unlock()
	if s != nil {
		s.Grant(n)
	}
}

// Unsubscribe ends the subscription with that id, and returns it if there was
// one.
func (o *Outlet) Unsubscribe(id string) []Ended {
	o.mu.Lock()
	s, plain := o.separate[id], o.plain
	delete(o.separate, id)
	o.mu.Unlock()
	switch {
	case s != nil:
		s.Close()
		return o.hub.index.endedOf(s)
	case plain == nil:
		return nil
	}
	e, ok := o.hub.index.remove(plain, id)
	if !ok {
		return nil
	}
	return []Ended{e}
}

// UnsubscribePattern ends all subscriptions to exactly that pattern, and
// returns them.
func (o *Outlet) UnsubscribePattern(pattern string) (ended []Ended) {
	for _, s := range o.subscribers() {
		for _, id := range o.hub.index.idsOf(s, eventName(pattern)) {
			ended = append(ended, o.Unsubscribe(id)...)
		}
	}
	return ended
}

// All returns the subscriptions there are.
func (o *Outlet) All() (all []Ended) {
	for _, s := range o.subscribers() {
		all = append(all, o.hub.index.namesOf(s)...)
	}
	return all
}

func (o *Outlet) subscribers() []*Subscriber {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.subscribersLocked()
}

func (o *Outlet) subscribersLocked() []*Subscriber {
	subscribers := slices.Collect(maps.Values(o.separate))
	if o.plain != nil {
		subscribers = append(subscribers, o.plain)
	}
	return subscribers
}

// mark gives s a turn, and reports whether nobody else had one.
func (o *Outlet) mark(s *Subscriber) (first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || s.marked {
		return false
	}
	s.marked = true
	o.ready = append(o.ready, s)
	o.countWaitingLocked()
	return len(o.ready) == 1
}

// turn returns the subscriber whose turn it is, nil if there is none, and
// whether others wait for theirs.
func (o *Outlet) turn() (s *Subscriber, others bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.ready) == 0 {
		return nil, false
	}
	s = o.ready[0]
	o.ready[0] = nil
	if o.ready = o.ready[1:]; len(o.ready) == 0 {
		o.ready = nil
	}
	s.marked = false
	o.countWaitingLocked()
	return s, len(o.ready) > 0
}

// Pending reports whether AppendTo has something to append.
func (o *Outlet) Pending() bool { return o.waiting.Load() > 0 }

// fairShare is how much of one write a subscriber gets while others wait.
const fairShare = 16 << 10

// AppendTo moves what waits to dst, each message preceded by its length, at
// most maxBytes but one message in any case.
func (o *Outlet) AppendTo(dst []byte, maxBytes int) []byte {
	end := len(dst) + maxBytes
	dst = o.appendNotes(dst, maxBytes)
	for len(dst) < end {
		s, others := o.turn()
		if s == nil {
			break
		}
		room := end - len(dst)
		if others {
			room = min(room, fairShare)
		}
		dst = s.AppendTo(dst, room)
		if s.Pending() {
			o.mark(s)
		} else if s.ripe() {
			dst = o.merge(dst, s)
		}
	}
	return dst
}

// Next is AppendTo for a receiver within the process: it returns the oldest
// message that waits, without its length. The message may be kept, but not
// written to. It is not ok if nothing waits.
func (o *Outlet) Next() (message []byte, ok bool) {
	if note := o.appendNotes(nil, 0); note != nil {
		return note[headerSize:], true
	}
	for {
		s, _ := o.turn()
		if s == nil {
			return nil, false
		}
		message, ok = s.Next()
		if s.Pending() {
			o.mark(s)
		}
		if ok {
			return message, true
		}
	}
}

// appendNotes moves what say has said, at most room bytes but one message in
// any case.
func (o *Outlet) appendNotes(dst []byte, room int) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for n < len(o.notes) {
		size := headerSize + frameSize(o.notes[n:])
		if n > 0 && n+size > room {
			break
		}
		n += size
	}
	dst = append(dst, o.notes[:n]...)
	if o.notes = o.notes[n:]; len(o.notes) == 0 {
		o.notes = nil
	}
	o.countWaitingLocked()
	return dst
}

// Close ends all subscriptions. It is idempotent.
func (o *Outlet) Close() {
	o.mu.Lock()
	subscribers := o.subscribersLocked()
	o.closed = true
	o.separate, o.plain, o.ready, o.notes = nil, nil, nil, nil
	o.waiting.Store(0)
	o.mu.Unlock()
	for _, s := range subscribers {
		s.Close()
	}
}
