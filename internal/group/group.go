package group

import (
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// prefix begins the names of the cursors that are groups.
const prefix = "group/"

// Group is a named place in a log, with its members. Its methods may be
// called at any time from any goroutine.
type Group struct {
	log     store.Log
	name    string
	epoch   string // of the log
	options Options
	base    time.Time     // when instants begin
	floor   atomic.Uint64 // what Floor returns

	mu sync.Mutex

	// Guarded by mu.
	closed  bool
	broken  bool // what was kept of it could not be read
	unsure  bool // for that reason nobody knows whether it is exclusive
	members []*Member
	turn    int    // the member to be woken next
	woken   int    // members that are
	silent  int    // likewise
	next    uint64 // the record to be read next; those before it are done or have an entry
	end     uint64 // the one after the newest that is known of
	suspect uint64 // records before it may have been delivered by an earlier process
	entries map[uint64]*entry
	order   list // all entries, by sequence number
	ready   pile // those that wait for a member, by sequence number
	later   pile // those that wait for a time, by that
	free    []*entry
	ahead   ahead
	stats   Stats
	keeping
	alarm instant // the deadline that the caller knows
	nudge instant // when somebody else is woken
}

// instant is a moment, as the time since the group was opened.
type instant = time.Duration

const never instant = math.MaxInt64

// Open returns the group of that name, as the log keeps it, or makes it. The
// error is a *wire.Error: CONFLICT if it is exclusive and should not be, or
// the other way around. Of what is kept and cannot be read the group makes
// what is safe, and says so: see Broken. There must be one Group of a name at
// a time. Something may be due at once: see Deadline.
func Open(log store.Log, name string, o Options) (*Group, error) {
	g := &Group{
		log: log, name: name, epoch: log.Epoch(), options: o.withDefaults(),
		entries: make(map[uint64]*entry),
		order:   list{which: bySeq},
		ready:   pile{less: func(a, b *entry) bool { return a.seq < b.seq }},
		later:   pile{less: func(a, b *entry) bool { return a.due < b.due }},
		alarm:   never, nudge: never,
	}
	g.base = g.options.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.loadLocked(); err != nil {
		return nil, err
	}
	// What was loaded is written too: a group that cannot keep its state
	// should not begin.
	if err := g.writeLocked(g.deliveredLocked()); err != nil {
		return nil, err
	}
	g.alarm = never
	return g, nil
}

// Names lists the groups that the log keeps, sorted.
func Names(log store.Log) (names []string) {
	for _, cursor := range log.Cursors() {
		if name, ok := strings.CutPrefix(cursor, prefix); ok {
			names = append(names, name)
		}
	}
	return names
}

// Remove forgets a group that is not open: the next Open makes a new one.
func Remove(log store.Log, name string) error { return log.SetCursor(prefix+name, nil) }

// Name returns the group's name.
func (g *Group) Name() string { return g.name }

// Exclusive reports whether the group has one member at most.
func (g *Group) Exclusive() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.options.Exclusive
}

// Agrees reports whether the group is exclusive or is not, as is asked for. If
// nobody knows any more it is from now on.
func (g *Group) Agrees(exclusive bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.unsure {
		g.unsure, g.options.Exclusive = false, exclusive
		g.changedLocked()
	}
	return g.options.Exclusive == exclusive
}

// Broken reports whether what the log kept of the group could not be read
// when it was opened. It began with the oldest record that there is then: all
// may have been delivered and acknowledged before.
func (g *Group) Broken() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.broken
}

// Floor returns the first record that the group may still need: all before
// it are done, and will be after a crash as well. It takes no lock, so a log
// may call it.
func (g *Group) Floor() uint64 { return g.floor.Load() }

// Appended says that the log has the record seq, and all before it.
func (g *Group) Appended(seq uint64) {
	var after after
	g.mu.Lock()
	if seq >= g.end {
		g.end = seq + 1
		g.wakeLocked(&after, 1)
	}
	g.mu.Unlock()
	after.run(g)
}

// Close keeps the state and ends the group for its members. Nothing is done
// with what they hold: the next Open gives it to others.
func (g *Group) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	for _, m := range g.members {
		m.group = nil
	}
	g.members = nil
	return g.writeLocked(g.deliveredLocked())
}

// floorLocked returns the first record that is not done.
func (g *Group) floorLocked() uint64 {
	if e := g.order.head; e != nil {
		return e.seq
	}
	return g.next
}

// at makes an instant of t.
func (g *Group) at(t time.Time) instant { return t.Sub(g.base) }

func (g *Group) now() instant { return g.at(g.options.Now()) }

// errNotMember is returned to who has left or was thrown out.
func (g *Group) errNotMember() error {
	return wire.Errorf(wire.CodeConflict, "not a member of the group %q any more", g.name)
}
