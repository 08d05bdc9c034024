package hub

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ekkojs/ipc/wire"
)

// subscription is one pattern of one subscriber.
type subscription struct {
	id         uint64
	name       string // what it is called outside, if not by id
	pattern    string
	subscriber *Subscriber
	counted    []*stream // those that limit their subscribers
	place      int32     // in its bucket
	policy     Policy
	literal    bool
	team       *Team // the group it is a member of: then it is in no bucket
}

// target is a subscriber that wants a channel, with the strictest policy of
// its subscriptions that match.
type target struct {
	subscriber *Subscriber
	policy     Policy
}

// index finds out who wants a channel. Topics keep what it answers until
// generation has moved on.
type index struct {
	// generation grows with each change, within mu.
	generation atomic.Uint64

	mu          sync.Mutex
	subscribers map[*Subscriber]struct{}
	literals    map[string]*bucket
	patterns    trie
	count       int    // subscriptions
	rounds      uint64 // of match, so that it can mark whom it has met

	// What subscribers that are gone have counted.
	offered, delivered, dropped uint64
}

func (x *index) init() {
	x.subscribers = make(map[*Subscriber]struct{})
	x.literals = make(map[string]*bucket)
	// A topic is made with generation 0, and must match once.
	x.generation.Store(1)
}

func (x *index) attach(s *Subscriber) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.subscribers[s] = struct{}{}
}

// asEnded is what is said of the subscription when it has ended.
func (sub *subscription) asEnded() Ended {
	e := Ended{ID: sub.subscriber.idOf(sub), Pattern: sub.pattern}
	if sub.team != nil {
		e.Group, e.Durable = sub.team.Name(), sub.team.group.Exclusive()
	}
	return e
}

// add enters a subscription, unless its subscriber has limit of them.
func (x *index) add(sub *subscription, limit int) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := sub.subscriber
	if s.detached != nil {
		return s.detached
	}
	if len(s.subscriptions) >= limit {
		return tooMany(limit)
	}
	if s.subscriptions == nil {
		s.subscriptions = make(map[uint64]*subscription)
	}
	s.subscriptions[sub.id] = sub
	if sub.team == nil {
		x.bucketLocked(sub).add(sub)
	}
	x.count++
	x.generation.Add(1)
	return nil
}

func (x *index) bucketLocked(sub *subscription) *bucket {
	if !sub.literal {
		return x.patterns.bucket(sub.pattern)
	}
	b := x.literals[sub.pattern]
	if b == nil {
		b = new(bucket)
		x.literals[sub.pattern] = b
	}
	return b
}

// has reports whether there is a subscription of s that is called so.
func (x *index) has(s *Subscriber, id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return s.findLocked(id) != nil
}

// findLocked returns the subscription of a subscriber of any number that is
// called so outside, nil if there is none. The caller holds index.mu.
func (s *Subscriber) findLocked(id string) *subscription {
	if sub := s.subscriptions[parseID(id)]; sub != nil && sub.name == "" {
		return sub
	}
	for _, sub := range s.subscriptions {
		if sub.name == id {
			return sub
		}
	}
	return nil
}

// remove takes the subscription of s out that is called so, if there is one.
func (x *index) remove(s *Subscriber, id string) (e Ended, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	sub := s.findLocked(id)
	if sub == nil {
		return Ended{}, false
	}
	x.removeLocked(sub)
	return sub.asEnded(), true
}

func (x *index) removeLocked(sub *subscription) {
	delete(sub.subscriber.subscriptions, sub.id)
	for _, counted := range sub.counted {
		counted.heard.Add(-1)
	}
	if sub.team != nil {
		// in no bucket
	} else if !sub.literal {
		x.patterns.remove(sub)
	} else if x.literals[sub.pattern].remove(sub) {
		delete(x.literals, sub.pattern)
	}
	x.count--
	x.generation.Add(1)
}

// detach takes out s, whose queue is closed, with all its subscriptions. why
// is nil if its owner closed it, or if it was slow.
func (x *index) detach(s *Subscriber, why error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.detached != nil {
		return
	}
	counts := s.queue.counts()
	s.detached = ErrClosed
	switch {
	case why != nil:
		s.detached = why
	case counts.failed:
		err := wire.Errorf(wire.CodeSlowConsumer, "subscriber did not take its events in time")
		err.Details.More = map[string]any{"dropped": counts.Dropped}
		s.detached = err
	}
	for _, sub := range s.subscriptions {
		s.ended = append(s.ended, sub.asEnded())
		x.removeLocked(sub)
	}
	s.subscriptions = nil
	delete(x.subscribers, s)
	x.offered += counts.Offered
	x.delivered += counts.Delivered
	x.dropped += counts.Dropped
}

// reason returns why s is detached, or nil.
func (x *index) reason(s *Subscriber) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return s.detached
}

// match returns who wants the events of that name, or all of its stream, each
// once, in the memory of into, and the generation that this is true of.
// Without wildcards those count only who name it.
func (x *index) match(name, stream string, wildcards bool, into []target) ([]target, uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rounds++
	stale := into
	into = x.literals[name].collect(into[:0], x.rounds)
	if stream != name {
		into = x.literals[stream].collect(into, x.rounds)
	}
	if wildcards {
		into = x.patterns.collect(name, into, x.rounds)
	}
	if len(into) < len(stale) {
		clear(stale[len(into):])
	}
	return into, x.generation.Load()
}

// all returns the subscribers there are.
func (x *index) all() []*Subscriber {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Collect(maps.Keys(x.subscribers))
}

// idsOf returns the subscriptions of s to exactly that pattern.
func (x *index) idsOf(s *Subscriber, pattern string) (ids []string) {
	for _, e := range x.namesOf(s) {
		if e.Pattern == pattern {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// namesOf returns the subscriptions of s.
func (x *index) namesOf(s *Subscriber) (names []Ended) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, sub := range s.subscriptions {
		names = append(names, sub.asEnded())
	}
	return names
}

// endedOf returns the subscriptions that s had when it ended.
func (x *index) endedOf(s *Subscriber) []Ended {
	x.mu.Lock()
	defer x.mu.Unlock()
	return s.ended
}

func tooMany(limit int) error {
	return usedUp("subscriptions", limit, "more than %d subscriptions", limit)
}

// Listener is one subscription, as Who sees it.
type Listener struct {
	ID              string
	Pattern         string
	Owner           any    // of the outlet or subscriber
	Group           string // "": it is in none
	Durable         bool   // the group is its own, by its name
	SubscriberStats        // of all that its subscriber hears
}

// Who lists the subscriptions there are, in no order.
func (h *Hub) Who() []Listener {
	x := &h.index
	x.mu.Lock()
	defer x.mu.Unlock()
	list := make([]Listener, 0, x.count)
	for s := range x.subscribers {
		st := s.queue.counts().SubscriberStats
		st.Subscriptions = len(s.subscriptions)
		for _, sub := range s.subscriptions {
			e := sub.asEnded()
			list = append(list, Listener{ID: e.ID, Pattern: e.Pattern, Owner: s.owner, Group: e.Group, Durable: e.Durable, SubscriberStats: st})
		}
	}
	return list
}
