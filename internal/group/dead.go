package group

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/ekkojs/ipc/store"
)

// giveUpLocked makes an entry that has been detached a dead letter. It is
// done only when that is kept, so nothing is lost if it cannot be.
func (g *Group) giveUpLocked(e *entry, reason string, after *after) {
	g.changedLocked()
	e.state, e.reason = dying, reason
	after.dead = append(after.dead, e)
}

// bury hands a dying entry to Options.Dead. Such an entry is touched by
// nobody else, so that needs no lock.
func (g *Group) bury(e *entry) {
	if g.options.Dead == nil {
		g.buried(e, store.Receipt{})
		return
	}
	r, found, err := g.record(e.seq)
	switch {
	case err != nil:
		g.buried(e, store.Receipt{Err: err})
		return
	case !found:
		g.vanished(e)
		return
	}
	r.Dead = &store.Dead{Seq: e.seq, Epoch: g.epoch, Group: g.name, Deliveries: e.deliveries, Reason: e.reason}
	r.ID = deadID(r.Dead)
	r.Seq, r.Time, r.Group = 0, 0, ""
	g.options.Dead(r, func(receipt store.Receipt) { g.buried(e, receipt) })
}

// deadID names a dead letter, so that one that is kept again, because the
// process ended before that was known, is seen to be the same.
func deadID(d *store.Dead) string {
	id := d.Epoch + "/" + strconv.FormatUint(d.Seq, 10) + "/" + d.Group
	if len(id) > store.MaxIDSize {
		sum := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(sum[:])
	}
	return id
}

// buried ends a dying entry, or has it tried again.
func (g *Group) buried(e *entry, receipt store.Receipt) {
	var after after
	g.mu.Lock()
	switch {
	case g.closed || e.state != dying || g.entries[e.seq] != e:
	case receipt.Err != nil:
		wait := lastRetry
		if e.tries < 16 {
			wait = min(firstRetry<<e.tries, lastRetry)
		}
		e.tries++
		g.stats.DeadRefused++
		g.laterLocked(e, undying, g.now()+wait, &after)
	default:
		g.stats.Dead++
		g.finishLocked(e)
		// Not by and by: until it is kept, a crash would make it die twice.
		g.dirtyLocked(g.now()-flushAfter, &after)
		g.wakeLocked(&after, 0)
	}
	g.mu.Unlock()
	after.run(g)
}

// vanished leaves a dying entry whose record is not there any more to the
// next Take, which says that it is missing.
func (g *Group) vanished(e *entry) {
	var after after
	g.mu.Lock()
	if !g.closed {
		g.readyLocked(e)
		g.wakeLocked(&after, 0)
	}
	g.mu.Unlock()
	after.run(g)
}
