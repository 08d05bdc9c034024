package hub

import (
	"errors"

	"github.com/ekkojs/ipc/wire"
)

// A subscription that goes on where it was interrupted is separate, since it
// is somewhere else in its streams than the others. Once it has caught up it
// shares the frames of the plain ones again. It moves between two events of
// all its streams, when what it was sent by its own queue has been taken: so
// that is before the message that says so, what comes by the others' queue is
// after it, and nothing is on both sides or on none.

// plainChannel is where a receiver is told of that.
var plainChannel = []byte("ipc.plain")

// caughtUp is called when a stream has been caught up with. The turn that the
// subscriber gets with the last one makes it a plain one.
func (s *Subscriber) caughtUp() {
	if s.replaying.Add(-1) == 0 {
		s.nudge()
	}
}

// nudge has AppendTo ask a subscriber that is to be a plain one.
func (s *Subscriber) nudge() {
	if notify := s.queue.wakes(); s.merges && notify != nil {
		notify()
	}
}

// ripe reports whether it is to be a plain one, has all that has been
// published, and none of it waits.
func (s *Subscriber) ripe() bool {
	return s.merges && s.replaying.Load() == 0 && s.queue.idle() && !s.lane.Load().pending()
}

// errUnripe says that a subscription cannot be merged now.
var errUnripe = errors.New("hub: something waits for the subscription")

// merge makes the subscription of s a plain one, if s is ripe, and appends the
// message that says so. It keeps its id.
func (o *Outlet) merge(dst []byte, s *Subscriber) []byte {
	sub, plain := o.hub.index.only(s), o.plainOrNew()
	if sub == nil || plain == nil {
		return dst
	}
	pattern, err := wire.ParsePattern(sub.pattern)
	if err != nil {
		panic("hub: a subscription has a pattern that is none: " + sub.pattern)
	}
	id, start := string(s.queue.tag), Start{}
	err = o.hub.topics.subscribe(pattern, func(matched []*stream, fresh Cursor) error {
		// What has come since it was asked is little.
		if dst = s.AppendTo(dst, fairShare); !s.ripe() {
			return errUnripe
		}
		start.Cursor = fresh
		if sub.literal {
			start.Stream = sub.pattern
		}
		for _, in := range matched {
			start.noteLocked(in, in.seq+1, sub.literal)
		}
		return o.hub.index.move(sub, plain, id)
	})
	switch {
	case err == errUnripe: // it has another turn then
		return dst
	case err != nil:
		if plain.Err() != nil { // it was slow just now: the next ones have another one
			o.forget(plain)
		}
		return dst
	}
	o.forget(s)
	s.Close()
	e := o.hub.encoder
	return e.append(dst, &message{channel: plainChannel, tag: []byte(id), time: o.hub.clock.milli(), data: o.options.Merged(id, sub.pattern, start)})
}

// plainOrNew returns the subscriber of the plain subscriptions; nil if the
// outlet is closed.
func (o *Outlet) plainOrNew() *Subscriber {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	return o.plainLocked()
}

// only returns the subscription of a subscriber that has one, else nil.
func (x *index) only(s *Subscriber) *subscription {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, sub := range s.subscriptions {
		return sub
	}
	return nil
}

// move gives a subscription to another subscriber, where it is called name.
func (x *index) move(sub *subscription, to *Subscriber, name string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	from := sub.subscriber
	switch {
	case from.subscriptions[sub.id] != sub:
		return ErrClosed
	case to.detached != nil:
		return to.detached
	}
	delete(from.subscriptions, sub.id)
	if to.subscriptions == nil {
		to.subscriptions = make(map[uint64]*subscription)
	}
	to.subscriptions[sub.id] = sub
	sub.subscriber, sub.name = to, name
	x.generation.Add(1)
	return nil
}
