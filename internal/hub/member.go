package hub

import (
	"time"

	"github.com/ekkojs/ipc/internal/group"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// member is a subscriber that shares a stream with others of its group. It is
// the source of its lane.
type member struct {
	s     *Subscriber
	team  *Team
	group group.Member
	batch []group.Delivery
}

// takeBatch is how many messages a member takes at once.
const takeBatch = 64

// enlist makes s, which has no subscriptions yet, a member of a team.
func (s *Subscriber) enlist(pattern string, t *Team, o *GroupOptions) (Start, error) {
	sub := &subscription{id: s.hub.lastID.Add(1), pattern: eventName(pattern), literal: true, subscriber: s, team: t}
	if limit := t.stream.MaxSubscribers; limit > 0 {
		if int(t.stream.heard.Add(1)) > limit && !t.vacating() {
			t.stream.heard.Add(-1)
			return Start{}, crowded(t.stream)
		}
		sub.counted = []*stream{t.stream}
	}
	if err := s.hub.index.add(sub, 1); err != nil {
		for _, counted := range sub.counted {
			counted.heard.Add(-1)
		}
		return Start{}, err
	}
	if err := t.join(s, o); err != nil {
		return Start{}, err
	}
	if err := s.Err(); err != nil { // whoever closed it may not have seen the member
		s.member.Load().leave()
		return Start{}, err
	}
	return Start{Cursor: Cursor{t.stream.epoch, t.group.Floor()}, Stream: t.stream.Name}, nil
}

// vacating reports whether a newcomer takes the place of a member, who leaves
// when he is in.
func (t *Team) vacating() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.group.Exclusive() && len(t.members) > 0
}

// join makes s a member of the team, unless that was forgotten meanwhile.
func (t *Team) join(s *Subscriber, o *GroupOptions) error {
	m := &member{s: s, team: t}
	m.group = group.Member{Credit: o.Credit, Limit: o.Limit, AckWait: o.AckWait, Filter: t.wanted(o.Filter)}
	l := s.laneOf()
	m.group.Wake = l.wake
	t.mu.Lock()
	switch {
	case t.closed:
		t.mu.Unlock()
		return t.forgotten()
	case len(t.members) >= MaxMembers:
		t.mu.Unlock()
		return usedUp("members", MaxMembers, "the group %q of %s has %d members, which is all it takes", t.Name(), t.stream.Name, MaxMembers)
	}
	s.member.Store(m)
	t.members[&m.group] = s
	t.mu.Unlock()
	out := t.group.Join(&m.group)
	l.add(m) // not before: who is no member yet has nothing to give, ever
	if out == nil {
		return nil
	}
	t.mu.Lock()
	before := t.members[out]
	t.mu.Unlock()
	if before != nil {
		t.hub.start(func() {
			before.fail(wire.Errorf(wire.CodeConflict, "another subscriber of %s has taken over the name %q", t.stream.Name, t.group.Name()))
		})
	}
	return nil
}

// forgotten is the answer to who becomes a member while the group is removed.
func (t *Team) forgotten() error {
	return wire.Errorf(wire.CodeConflict, "the group %q of %s has been forgotten just now", t.group.Name(), t.stream.Name)
}

// throwOut ends the subscriptions of those who became members after it was
// found that there are none.
func (t *Team) throwOut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.members {
		t.hub.start(func() { s.fail(t.forgotten()) })
	}
}

// wanted returns what keeps records from a member, nil if nothing does.
func (t *Team) wanted(filter func(data []byte) bool) func(*store.Record) bool {
	named := t.topic.name != t.stream.Name
	if !named && filter == nil {
		return nil
	}
	return func(rec *store.Record) bool {
		return (!named || rec.Name == t.topic.name) && (filter == nil || filter(rec.Data))
	}
}

// leave ends the membership.
func (m *member) leave() {
	t := m.team
	t.mu.Lock()
	delete(t.members, &m.group)
	t.mu.Unlock()
	if t.group.Leave(&m.group) && t.group.Dirty() {
		// Who leaves in order expects that what it acknowledged counts, even
		// if the service is killed now. A failure is tried again later.
		t.group.Flush()
	}
}

// next implements source.
func (m *member) next(dst []byte, room int, _ bool) ([]byte, sourceState) {
	var err error
	m.batch, err = m.team.group.Take(&m.group, m.batch[:0], takeBatch, room)
	h, s := m.s.hub, m.team.stream
	delivered := uint64(0)
	for i := range m.batch {
		d := &m.batch[i]
		if g := d.Gap; g != nil {
			notice := &wire.Gap{From: g.From, To: g.To, Reason: g.Reason}
			dst = h.encoder.append(dst, h.encoder.gapMessage(m.team.topic, notice, m.s.queue.tag))
			continue
		}
		delivered++
		msg := s.replayed(&d.Record, m.s.queue.tag)
		msg.redelivered = d.Redelivered
		if d.Deliveries > 1 {
			msg.deliveries = d.Deliveries
		}
		dst = h.encoder.append(dst, msg)
	}
	m.s.queue.countPast(delivered, delivered, 0)
	switch {
	case err != nil && wire.CodeOf(err) == wire.CodeConflict:
		return dst, sourceOver
	case len(m.batch) > 0:
		return dst, sourceMore
	}
	return dst, sourceIdle // an error of the log: the group will wake it
}

// Settlement is what a member says of messages.
type Settlement struct {
	Kind   SettlementKind
	Seqs   []uint64
	Delay  time.Duration // of Nak, MaxDelay at most
	Reason string        // of Reject
}

// MaxDelay is for how long a message may be given back.
const MaxDelay = group.MaxDelay

// SettlementKind is one of the things that a member can say.
type SettlementKind uint8

// The kinds.
const (
	Ack    SettlementKind = iota // they are done
	Nak                          // they are to come again
	Reject                       // they are dead letters
)

// Settle says what became of messages that the subscription with that id has
// been given. It returns those that it does not hold. The error is NOT_FOUND
// if there is no such subscription, or INVALID_ARGUMENT if it is not a
// member of a group.
func (o *Outlet) Settle(id string, what Settlement) (unknown []uint64, err error) {
	o.mu.Lock()
	s, plain := o.separate[id], o.plain
	o.mu.Unlock()
	switch {
	case s == nil && (plain == nil || !plain.has(id)):
		return nil, wire.Errorf(wire.CodeNotFound, "there is no subscription %q on this connection", id)
	case s == nil || s.member.Load() == nil:
		return nil, wire.Errorf(wire.CodeInvalidArgument, "subscription %q is not one of a group: its events are not acknowledged", id)
	}
	m := s.member.Load()
	g := m.team.group
	switch what.Kind {
	case Ack:
		unknown = g.Ack(&m.group, what.Seqs)
	case Nak:
		unknown = g.Nak(&m.group, what.Seqs, what.Delay)
	default:
		unknown = g.Reject(&m.group, what.Seqs, what.Reason)
	}
	m.team.stream.discard(false)
	return unknown, nil
}
