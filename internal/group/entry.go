package group

import (
	"container/heap"
)

// entry is a record that is neither done nor still to be read.
type entry struct {
	seq        uint64
	state      state
	deliveries int
	size       int     // of its data
	holder     *Member // of one that is held
	due        instant // when a held one is late, or a later one's time has come
	reason     string  // why it is given up
	tries      int     // at keeping it as a dead letter
	place      int     // in a heap
	links      [2]links
}

// state says what an entry waits for.
type state uint8

const (
	held    state = iota // its holder's answer; it is in the holder's list
	ready                // a member; it is in Group.ready
	later                // its time, to become ready; it is in Group.later
	dying                // the receipt of its dead letter
	undying              // its time, to become a dead letter; it is in Group.later
)

// links are an entry's neighbours in a list.
type links struct{ prev, next *entry }

// The lists that an entry can be in.
const (
	bySeq    = iota // Group.order
	byHolder        // Member.held, by when they were delivered
)

// list is a queue of entries from which any can be removed.
type list struct {
	which      int
	head, tail *entry
	length     int
}

func (l *list) push(e *entry) {
	e.links[l.which] = links{prev: l.tail}
	if l.tail != nil {
		l.tail.links[l.which].next = e
	} else {
		l.head = e
	}
	l.tail = e
	l.length++
}

func (l *list) remove(e *entry) {
	at := e.links[l.which]
	if at.prev != nil {
		at.prev.links[l.which].next = at.next
	} else {
		l.head = at.next
	}
	if at.next != nil {
		at.next.links[l.which].prev = at.prev
	} else {
		l.tail = at.prev
	}
	e.links[l.which] = links{}
	l.length--
}

// pile is a heap of entries, each of which knows its place.
type pile struct {
	entries []*entry
	less    func(a, b *entry) bool
}

func (p *pile) Len() int           { return len(p.entries) }
func (p *pile) Less(i, j int) bool { return p.less(p.entries[i], p.entries[j]) }
func (p *pile) Swap(i, j int) {
	p.entries[i], p.entries[j] = p.entries[j], p.entries[i]
	p.entries[i].place, p.entries[j].place = i, j
}
func (p *pile) Push(x any) {
	e := x.(*entry)
	e.place = len(p.entries)
	p.entries = append(p.entries, e)
}
func (p *pile) Pop() any {
	last := len(p.entries) - 1
	e := p.entries[last]
	p.entries[last] = nil
	p.entries = p.entries[:last]
	return e
}

// first returns the least entry, nil if there is none.
func (p *pile) first() *entry {
	if len(p.entries) == 0 {
		return nil
	}
	return p.entries[0]
}

func (p *pile) push(e *entry)   { heap.Push(p, e) }
func (p *pile) remove(e *entry) { heap.Remove(p, e.place) }

// newEntryLocked adds an entry, whose sequence number is the highest.
func (g *Group) newEntryLocked(seq uint64) *entry {
	var e *entry
	if n := len(g.free); n > 0 {
		e, g.free = g.free[n-1], g.free[:n-1]
	} else {
		e = new(entry)
	}
	*e = entry{seq: seq}
	g.entries[seq] = e
	g.order.push(e)
	return e
}

// detachLocked takes an entry from whatever it waits in.
func (g *Group) detachLocked(e *entry) {
	switch e.state {
	case held:
		m := e.holder
		m.held.remove(e)
		m.heldBytes -= e.size
		m.full = false
		e.holder = nil
	case ready:
		g.ready.remove(e)
	case later, undying:
		g.later.remove(e)
	}
}

// finishLocked ends an entry that has been detached: its record is done.
func (g *Group) finishLocked(e *entry) {
	delete(g.entries, e.seq)
	g.order.remove(e)
	if e.state != dying && len(g.free) < maxBatch { // a dying one may still be known outside
		g.free = append(g.free, e)
	}
	g.changedLocked()
}

func (g *Group) readyLocked(e *entry) {
	e.state = ready
	g.ready.push(e)
}

func (g *Group) laterLocked(e *entry, s state, due instant, after *after) {
	e.state, e.due = s, due
	g.later.push(e)
	g.wantLocked(due, after)
}
