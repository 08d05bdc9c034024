package hub

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc/internal/group"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// The bounds of groups: how many may read one stream, and how many members one
// may have. More could not hold a message each.
const (
	MaxGroups  = 64
	MaxMembers = group.DefaultMaxPending
)

// GroupOptions says which group a subscription is a member of.
type GroupOptions struct {
	// Name of the group: letters, digits, "-" and "_", at most 64.
	Name string

	// Exclusive: it has one member, and the newest takes over.
	Exclusive bool

	// From is where a group begins that there is not yet. Default of a queue
	// the oldest message, of others the next one.
	From From

	// Filter is what a member of an exclusive group wants. What does not pass
	// counts as acknowledged.
	Filter func(data []byte) bool

	// Credit is how many messages the member may hold unacknowledged.
	// Default group.DefaultCredit.
	Credit int

	// Limit is how many messages the member takes in all. Default 0: no end.
	Limit int

	// AckWait is how long it may hold one. Default group.DefaultAckWait.
	AckWait time.Duration
}

// Team is a group with those of its members that are here.
type Team struct {
	hub    *Hub
	topic  *topic // whose events it gets: all of the stream, if it is called so
	group  *group.Group
	stream *stream

	mu      sync.Mutex
	closed  bool
	timer   *time.Timer // calls expire
	members map[*group.Member]*Subscriber
}

// Name is what the group is called: that of one event of a stream has the
// event's name after its own.
func (t *Team) Name() string { return t.group.Name() }

// teams are the groups of a stream.
type teams struct {
	mu   sync.Mutex // held while a group is opened or removed
	list atomic.Pointer[[]*Team]
}

func (t *teams) all() []*Team {
	if p := t.list.Load(); p != nil {
		return *p
	}
	return nil
}

func (t *teams) find(name string) *Team {
	for _, team := range t.all() {
		if team.group.Name() == name {
			return team
		}
	}
	return nil
}

func (t *teams) setLocked(list []*Team) { t.list.Store(&list) }

// oldest returns the first record that a group needs; ok is false if there
// are no groups.
func (t *teams) oldest() (seq uint64, ok bool) {
	for i, team := range t.all() {
		if floor := team.group.Floor(); i == 0 || floor < seq {
			seq = floor
		}
		ok = true
	}
	return seq, ok
}

// Team returns the group that a subscription to pattern is to join, which it
// makes if there is none. That takes the time of a log. The error is
// INVALID_ARGUMENT, CONFLICT, QUOTA_EXCEEDED or the log's.
func (h *Hub) Team(pattern string, o *GroupOptions) (*Team, error) {
	pattern = eventName(pattern)
	t := h.topics.find(pattern)
	if t == nil || t.stream.Dead == nil {
		return nil, wire.Errorf(wire.CodeInvalidArgument,
			`%s has no groups: they are for a channel of type "queue", or with "persistent": true in the manifest, by its name or that of an event on it`, pattern)
	}
	s := t.stream
	switch {
	case s.Broadcast:
		return nil, wire.Errorf(wire.CodeInvalidArgument, "%s is a broadcast channel: everybody gets every message, and no group shares them", s.Name)
	case s.Queue && t.name != s.Name:
		return nil, wire.Errorf(wire.CodeInvalidArgument, "%s is on the queue %s: subscribe to that", t.name, s.Name)
	}
	s.teams.mu.Lock()
	defer s.teams.mu.Unlock()
	name := teamName(s, t, o.Name)
	if team := s.teams.find(name); team != nil {
		if !team.group.Agrees(o.Exclusive) {
			return nil, wire.Errorf(wire.CodeConflict, "%s has a group and not a durable subscription, or the other way around, of the name %q", s.Name, o.Name)
		}
		return team, nil
	}
	if len(s.teams.all()) >= MaxGroups {
		return nil, usedUp("groups", MaxGroups, "%s has %d groups, which is all it takes; forget those that nobody needs", s.Name, MaxGroups)
	}
	start, err := s.groupStart(o.From, func(rec *store.Record) bool { return t.name == s.Name || rec.Name == t.name })
	if err != nil {
		return nil, err
	}
	team, err := h.openTeam(s, t, name, group.Options{Exclusive: o.Exclusive, Start: start})
	if err == nil {
		s.teams.addLocked(team)
	}
	return team, err
}

// teamName is what the log calls a group: those of one event alone are not
// those of the whole stream.
func teamName(s *stream, t *topic, name string) string {
	if t.name == s.Name {
		return name
	}
	return name + " " + t.name
}

func (s *stream) groupStart(f From, wanted func(*store.Record) bool) (uint64, error) {
	if f.Kind == FromLast {
		f.looked = map[*stream]look{s: s.look(wanted)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Queue && f.Kind == FromNew {
		return 0, nil
	}
	return s.startLocked(f, true, wanted)
}

// openTeam opens a group of the log. It counts when add has made it known.
func (h *Hub) openTeam(s *stream, t *topic, name string, o group.Options) (*Team, error) {
	team := &Team{hub: h, topic: t, stream: s, members: map[*group.Member]*Subscriber{}}
	o.Volatile = s.Volatile
	o.Dead = func(rec store.Record, done func(store.Receipt)) { s.burials.bury(s.Dead, rec, done) }
	o.Alarm = team.arm
	o.Now = h.options.Now
	var err error
	if team.group, err = group.Open(s.Log, name, o); err != nil {
		return nil, err
	}
	return team, nil
}

// addLocked makes groups known, all at once: what some have done with may be
// removed from the log then, unless others are known that have not.
func (t *teams) addLocked(opened ...*Team) {
	t.setLocked(slices.Concat(t.all(), opened))
	for _, team := range opened {
		team.arm()
	}
}

// arm sets the timer to the group's deadline.
func (t *Team) arm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.group == nil { // it is being opened
		return
	}
	at := t.group.Deadline()
	if at.IsZero() {
		return
	}
	wait := max(at.Sub(t.hub.options.Now()), 0)
	if t.timer == nil {
		t.timer = time.AfterFunc(wait, func() { t.hub.start(t.expire) })
		return
	}
	t.timer.Reset(wait)
}

// expire does what is due.
func (t *Team) expire() {
	t.group.Expire(t.hub.options.Now())
	t.stream.discard(true)
	t.arm()
}

// close ends the group for now.
func (t *Team) close() {
	t.mu.Lock()
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
	t.mu.Unlock()
	t.group.Close()
}

// reopenTeams opens the groups that the log knows.
func (h *Hub) reopenTeams(s *stream) (broken []BrokenGroup, err error) {
	s.teams.mu.Lock()
	defer s.teams.mu.Unlock()
	var opened []*Team
	for _, name := range group.Names(s.Log) {
		t := s.topicOf(s.Name)
		if i := strings.IndexByte(name, ' '); i >= 0 {
			t = s.topicOf(name[i+1:])
		}
		team, err := h.openTeam(s, t, name, group.Options{AsKept: true})
		if err != nil {
			return nil, err
		}
		if team.group.Broken() {
			broken = append(broken, BrokenGroup{s.Name, name})
		}
		opened = append(opened, team)
	}
	s.teams.addLocked(opened...)
	return broken, nil
}

// discard removes from a queue's log what all groups are done with: a few
// messages at a time, or with all of them at once.
func (s *stream) discard(all bool) {
	if !s.Queue {
		return
	}
	oldest, ok := s.teams.oldest()
	if !ok {
		return
	}
	const few = 32
	first, next := s.Log.Bounds()
	if oldest <= first || !all && oldest < next && oldest-first < few && !s.crowd.waits() {
		return
	}
	s.Log.Discard(oldest)
	s.crowd.retry()
}

// settle removes all that the groups are done with, for somebody who is going
// to look, and waits for what becomes a dead letter. What cannot be kept of
// them now stays, and is tried again later.
func (s *stream) settle() {
	s.burials.wait()
	for _, team := range s.teams.all() {
		if team.group.Dirty() {
			_ = team.group.Flush()
		}
	}
	s.discard(true)
}
