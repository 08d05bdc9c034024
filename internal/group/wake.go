package group

// after is what has to be done once the lock is released.
type after struct {
	wake  []*Member
	dead  []*entry
	alarm bool
}

func (a *after) run(g *Group) {
	for _, e := range a.dead {
		g.bury(e)
	}
	for _, m := range a.wake {
		m.Wake()
	}
	if a.alarm {
		g.options.Alarm()
	}
}

// wantLocked asks that Expire be called by then.
func (g *Group) wantLocked(at instant, after *after) {
	if at >= g.alarm {
		return
	}
	g.alarm = at
	after.alarm = g.options.Alarm != nil
}

// availableLocked is how many records, at most, could be taken now.
func (g *Group) availableLocked() int {
	return g.ready.Len() + g.freshLocked()
}

// freshLocked is how many of those are new.
func (g *Group) freshLocked() int {
	if room := g.options.MaxPending - len(g.entries); room > 0 && g.end > g.next {
		return int(min(uint64(room), g.end-g.next))
	}
	return 0
}

// wakeLocked wakes, in turn, as many members as can be given a record, and
// that many at least: one that was woken already may be slow to come.
func (g *Group) wakeLocked(after *after, least int) {
	available := g.availableLocked()
	if available == 0 {
		return
	}
	need := max(available-g.woken, least)
	for i, first := 0, g.turn; i < len(g.members); i++ {
		place := (first + i) % len(g.members)
		m := g.members[place]
		if m.woken || !m.hungryLocked() {
			continue
		}
		if need <= 0 {
			g.nudgeLocked(g.now()+nudgeAfter, after)
			return
		}
		need--
		g.turn = place + 1
		m.woken = true
		g.woken++
		if m.Wake != nil {
			after.wake = append(after.wake, m)
		}
	}
}

// nudgeLocked has everybody woken by then who could take something: who was
// woken may not come, and what he was woken for is not his yet.
func (g *Group) nudgeLocked(at instant, after *after) {
	if at < g.nudge {
		g.nudge = at
		g.wantLocked(at, after)
	}
}

func (g *Group) unwakeLocked(m *Member) {
	if m.woken {
		m.woken = false
		g.woken--
	}
}

// shareLocked is how many records one of the members that are hungry may take
// now, so that something is left for the others.
func (g *Group) shareLocked() int {
	hungry := 0
	for _, m := range g.members {
		if m.hungryLocked() {
			hungry++
		}
	}
	if hungry <= 1 {
		return g.options.MaxPending
	}
	return max(1, (g.availableLocked()+hungry-1)/hungry)
}
