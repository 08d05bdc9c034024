package hub

import (
	"sync"
	"sync/atomic"

	"github.com/ekkojs/ipc/wire"
)

// subscription is one pattern of one subscriber.
type subscription struct {
	id         string
	pattern    string
	literal    bool
	policy     Policy
	subscriber *Subscriber
	place      int // in its bucket
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

// add enters a subscription, unless its subscriber has limit of them.
func (x *index) add(sub *subscription, limit int) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := sub.subscriber
	if s.detached != nil {
		return s.detached
	}
	if len(s.subscriptions) >= limit {
		err := wire.Errorf(wire.CodeQuotaExceeded, "more than %d subscriptions", limit)
		err.Details.More = map[string]any{"resource": "subscriptions", "limit": limit}
		return err
	}
	if s.subscriptions == nil {
		s.subscriptions = make(map[string]*subscription)
	}
	s.subscriptions[sub.id] = sub
	x.bucketLocked(sub).add(sub)
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

// remove takes the subscription id of s out, if there is one.
func (x *index) remove(s *Subscriber, id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	sub := s.subscriptions[id]
	if sub == nil {
		return false
	}
	x.removeLocked(sub)
	return true
}

func (x *index) removeLocked(sub *subscription) {
	delete(sub.subscriber.subscriptions, sub.id)
	if !sub.literal {
		x.patterns.remove(sub)
	} else if x.literals[sub.pattern].remove(sub) {
		delete(x.literals, sub.pattern)
	}
	x.count--
	x.generation.Add(1)
}

// detach takes out s, whose queue is closed, with all its subscriptions.
func (x *index) detach(s *Subscriber) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.detached != nil {
		return
	}
	counts := s.queue.counts()
	s.detached = ErrClosed
	if counts.failed {
		err := wire.Errorf(wire.CodeSlowConsumer, "subscriber did not take its events in time")
		err.Details.More = map[string]any{"dropped": counts.Dropped}
		s.detached = err
	}
	for _, sub := range s.subscriptions {
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

// match returns who wants the channel of that name, each once, in the memory
// of into, and the generation that this is true of.
func (x *index) match(name string, into []target) ([]target, uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rounds++
	stale := into
	into = x.literals[name].collect(into[:0], x.rounds)
	into = x.patterns.collect(name, into, x.rounds)
	if len(into) < len(stale) {
		clear(stale[len(into):])
	}
	return into, x.generation.Load()
}
