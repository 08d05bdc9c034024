package group

// keeping says what of a group's state the log has.
type keeping struct {
	// Guarded by Group.mu.
	claimed uint64  // records before it may have been delivered, the log knows
	changes int     // since the state was written
	dirtyAt instant // when they are to be written, never if there are none
	scratch []byte
}

// changedLocked says that the state is not as it was written.
func (g *Group) changedLocked() {
	g.changes++
	if g.options.Volatile {
		g.floor.Store(g.floorLocked())
	}
}

// dirtyLocked has the state written soon.
func (g *Group) dirtyLocked(now instant, after *after) {
	if g.options.Volatile {
		return
	}
	if at := now + flushAfter; at < g.dirtyAt {
		g.dirtyAt = at
		g.wantLocked(at, after)
	}
}

// Dirty reports whether there is something to flush.
func (g *Group) Dirty() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.dirtyAt != never || g.changes > 0
}

// Flush keeps the state now. Expire does so in time; this is for those who
// cannot wait.
func (g *Group) Flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	return g.writeLocked(g.deliveredLocked())
}

// flushLocked keeps the state, or has that tried again.
func (g *Group) flushLocked(after *after) {
	if g.writeLocked(g.deliveredLocked()) != nil {
		g.dirtyAt = g.now() + flushAgain
		g.wantLocked(g.dirtyAt, after)
	}
}

// claimLocked has the log know that a record may have been delivered, before
// it is. Many are claimed at once, until the next flush: after a crash they are
// all said to be redelivered, even those that were not delivered yet.
func (g *Group) claimLocked(seq uint64) error {
	if g.options.Volatile || seq < g.claimed {
		return nil
	}
	return g.writeLocked(seq + claimAhead)
}

// recountLocked keeps how often records have been delivered, before they are
// once more: one that kills whoever sees it, this process too, is given up
// after some times. If that fails they are delivered all the same.
func (g *Group) recountLocked() {
	if !g.options.Volatile {
		_ = g.writeLocked(max(g.claimed, g.deliveredLocked()))
	}
}

// deliveredLocked is the claim of what has been delivered, and no more.
func (g *Group) deliveredLocked() uint64 { return max(g.next, g.suspect) }

// writeLocked keeps the state, with that claim.
func (g *Group) writeLocked(claim uint64) error {
	g.scratch = g.encodeLocked(g.scratch[:0], claim)
	if err := g.log.SetCursor(prefix+g.name, g.scratch); err != nil {
		return err
	}
	g.claimed, g.changes, g.dirtyAt = claim, 0, never
	g.floor.Store(g.floorLocked())
	return nil
}
