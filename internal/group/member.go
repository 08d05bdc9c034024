package group

import (
	"slices"
	"time"

	"github.com/ekkojs/ipc/store"
)

// Member is one that records are delivered to. Its exported fields must not
// change once it has joined.
type Member struct {
	// Credit is how many records it may hold at once. Default DefaultCredit,
	// ceiling the group's MaxPending.
	Credit int

	// CreditBytes is how much data that may be; a member that holds nothing
	// gets one record of any size. Default DefaultCreditBytes.
	CreditBytes int

	// Limit is how many it takes as long as it is a member. Default 0: no end.
	Limit int

	// AckWait is how long it has to acknowledge. Default that of the group.
	AckWait time.Duration

	// Filter reports whether the member wants a record. Others are done as
	// if it had acknowledged them, so the members of a group should agree.
	// It is called with locks held, and must not change the record.
	Filter func(*store.Record) bool

	// Wake is called when Take may have something, and then not again until
	// Take is called; it should be called until it gives nothing. Wake is
	// called without locks of the group, from any of its methods, and must
	// not block.
	Wake func()

	// Guarded by Group.mu.
	group     *Group // nil when it has left
	held      list
	heldBytes int
	taken     int  // records it has been given
	full      bool // what comes next is more than its CreditBytes allow now
	woken     bool // Take is going to be called
	silent    bool // it has let a record expire, and said nothing of any since
}

// Join makes m a member. A group that is exclusive throws out the one that it
// had, and returns it. A member that has left may join again, here or
// elsewhere.
func (g *Group) Join(m *Member) (out *Member) {
	var after after
	g.mu.Lock()
	if !g.closed && m.group == nil {
		if g.options.Exclusive && len(g.members) > 0 {
			out = g.members[0]
			g.leaveLocked(out, &after)
			g.dirtyLocked(g.now(), &after)
		}
		g.joinLocked(m, &after)
	}
	g.mu.Unlock()
	after.run(g)
	return out
}

func (g *Group) joinLocked(m *Member, after *after) {
	if m.Credit <= 0 {
		m.Credit = DefaultCredit
	}
	m.Credit = min(m.Credit, g.options.MaxPending)
	if m.CreditBytes <= 0 {
		m.CreditBytes = DefaultCreditBytes
	}
	if m.AckWait <= 0 {
		m.AckWait = g.options.AckWait
	}
	m.group, m.held, m.full, m.woken, m.taken, m.silent = g, list{which: byHolder}, false, false, 0, false
	g.members = append(g.members, m)
	if _, next := g.log.Bounds(); next > g.end {
		g.end = next
	}
	g.wakeLocked(after, 1)
}

// Leave ends the membership: what m holds goes to others at once. It reports
// whether m was a member.
func (g *Group) Leave(m *Member) bool {
	var after after
	g.mu.Lock()
	was := m.group == g
	if was {
		g.leaveLocked(m, &after)
		g.dirtyLocked(g.now(), &after)
		g.wakeLocked(&after, 0)
	}
	g.mu.Unlock()
	after.run(g)
	return was
}

func (g *Group) leaveLocked(m *Member, after *after) {
	for m.held.head != nil {
		g.releaseLocked(m.held.head, 0, "its reader left", after)
	}
	g.heardLocked(m)
	m.group = nil
	g.unwakeLocked(m)
	g.members = slices.DeleteFunc(g.members, func(other *Member) bool { return other == m })
}

// doubtedLocked reports whether m stands still, as far as is known, and others
// do not. What was delivered before is for them: else it could come to m again
// and again, until it is given up without anybody having seen it. Of what is
// new m gets one, to find out.
func (m *Member) doubtedLocked() bool {
	return m.silent && m.group.silent < len(m.group.members)
}

// hungryLocked reports whether m can hold more.
func (m *Member) hungryLocked() bool {
	if m.doubtedLocked() && (m.held.length > 0 || m.group.freshLocked() == 0) {
		return false
	}
	return m.leftLocked() > 0 && !m.full && (m.held.length == 0 || m.heldBytes < m.CreditBytes)
}

// leftLocked is how many records m may be given now.
func (m *Member) leftLocked() int {
	left := m.Credit - m.held.length
	if m.Limit > 0 {
		left = min(left, m.Limit-m.taken)
	}
	return left
}

// silentLocked notes that m has let a record expire.
func (g *Group) silentLocked(m *Member) {
	if !m.silent {
		m.silent = true
		g.silent++
	}
}

// heardLocked notes that m has said something of a record, and reports whether
// it had been silent.
func (g *Group) heardLocked(m *Member) bool {
	if !m.silent {
		return false
	}
	m.silent = false
	g.silent--
	return true
}

// fitsLocked reports whether m can hold so many bytes more.
func (m *Member) fitsLocked(size int) bool {
	return m.held.length == 0 || m.heldBytes+size <= m.CreditBytes
}
