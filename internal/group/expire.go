package group

import "time"

// Expire takes back what was not acknowledged in time, tries again what has
// failed, and keeps what has changed. It is to be called at Deadline, or
// later.
func (g *Group) Expire(now time.Time) {
	var after after
	g.mu.Lock()
	if !g.closed {
		g.alarm = never
		g.expireLocked(g.at(now), &after)
	}
	g.mu.Unlock()
	after.run(g)
}

// Deadline returns when to call Expire, zero if nothing is due. Should it
// become sooner, Alarm says so. A caller asks for it after Open, after
// Expire and in Alarm, and sets its timer under one lock with that: so the
// last to do it knows best.
func (g *Group) Deadline() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alarm = g.deadlineLocked()
	if g.alarm == never || g.closed {
		return time.Time{}
	}
	return g.base.Add(g.alarm)
}

func (g *Group) expireLocked(t instant, after *after) {
	for _, m := range g.members {
		for e := m.held.head; e != nil && e.due <= t; e = m.held.head {
			g.stats.Expired++
			g.silentLocked(m)
			g.releaseLocked(e, 0, "it was not acknowledged in time", after)
		}
	}
	for e := g.later.first(); e != nil && e.due <= t; e = g.later.first() {
		dead := e.state == undying
		g.detachLocked(e)
		if dead {
			e.state = dying
			after.dead = append(after.dead, e)
		} else {
			g.readyLocked(e)
		}
	}
	g.wakeLocked(after, g.nudgesLocked(t))
	if g.changes > 0 && g.dirtyAt == never {
		g.dirtyLocked(t, after)
	}
	if g.dirtyAt <= t {
		g.flushLocked(after)
	}
}

// nudgesLocked is how many members to wake besides those who were and do not
// come: all, when they had their time.
func (g *Group) nudgesLocked(t instant) int {
	if g.nudge > t {
		return 0
	}
	g.nudge = never
	return len(g.members)
}

// deadlineLocked returns when something is due next.
func (g *Group) deadlineLocked() instant {
	next := min(g.dirtyAt, g.nudge)
	for _, m := range g.members {
		if e := m.held.head; e != nil {
			next = min(next, e.due)
		}
	}
	if e := g.later.first(); e != nil {
		next = min(next, e.due)
	}
	return next
}
