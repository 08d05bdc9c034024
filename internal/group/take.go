package group

import (
	"github.com/ekkojs/ipc/store"
)

// Delivery is a record for a member, or a gap.
type Delivery struct {
	store.Record

	// Deliveries is how often the record has been delivered, this time
	// included, as far as is known.
	Deliveries int

	// Redelivered: somebody may have seen the record before.
	Redelivered bool

	// Gap, if not nil, is all there is: nothing is to be acknowledged.
	Gap *Gap
}

// Take appends to dst what m is to handle now: first what others have not
// handled, then new records, in order. Those are at most max, with about
// maxBytes of data, but one if m's credit allows any; gaps come besides. Of
// what there is m gets a share as long as others could take something. The
// error is CONFLICT if m is no member any more, or the log's; what was
// appended to dst before counts all the same.
func (g *Group) Take(m *Member, dst []Delivery, max, maxBytes int) ([]Delivery, error) {
	var after after
	dst, err := g.take(m, dst, max, maxBytes, &after)
	after.run(g)
	return dst, err
}

func (g *Group) take(m *Member, dst []Delivery, max, maxBytes int, after *after) ([]Delivery, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.group != g {
		return dst, g.errNotMember()
	}
	g.unwakeLocked(m)
	t := taking{
		g: g, m: m, dst: dst, now: g.now(),
		left: min(max, m.leftLocked(), g.shareLocked()), bytes: maxBytes,
	}
	var err error
	if m.doubtedLocked() {
		t.left = min(t.left, 1-m.held.length)
	} else {
		err = t.redeliver()
	}
	if err == nil {
		err = t.read()
	}
	if t.given > 0 {
		g.wantLocked(t.now+m.AckWait, after)
	}
	if t.again {
		g.recountLocked()
	}
	if g.changes > 0 {
		g.dirtyLocked(t.now, after)
	}
	if err != nil {
		g.nudgeLocked(t.now+flushAgain, after)
		return t.dst, err
	}
	if t.given > 0 && m.hungryLocked() && g.availableLocked() > 0 {
		m.woken = true // it comes again without
		g.woken++
	}
	g.wakeLocked(after, 0)
	return t.dst, nil
}

// taking is one Take under way.
type taking struct {
	g     *Group
	m     *Member
	dst   []Delivery
	now   instant
	left  int // records that may still be given
	bytes int // of data, but for the first record
	given int
	again bool // one of them was delivered before
}

// missing says that records are.
func (t *taking) missing(from, to uint64) {
	for _, gap := range t.g.gapsLocked(from, to) {
		t.dst = append(t.dst, Delivery{Gap: &gap})
	}
}

// fits reports whether there is room for the record.
func (t *taking) fits(r *store.Record) bool {
	if !t.m.fitsLocked(len(r.Data)) {
		t.m.full = true
		return false
	}
	return t.given == 0 || len(r.Data) <= t.bytes
}

// give delivers the record.
func (t *taking) give(e *entry, r *store.Record, before bool) {
	m := t.m
	e.state, e.holder, e.size, e.due = held, m, len(r.Data), t.now+m.AckWait
	e.deliveries++
	m.held.push(e)
	m.heldBytes += e.size
	m.taken++
	t.dst = append(t.dst, Delivery{Record: *r, Deliveries: e.deliveries, Redelivered: before})
	t.left--
	t.bytes -= e.size
	t.given++
	t.g.changes++
	t.g.stats.Delivered++
	if before {
		t.again = true
		t.g.stats.Redelivered++
	}
}

// redeliver gives what is ready.
func (t *taking) redeliver() error {
	g := t.g
	for t.left > 0 && g.ready.Len() > 0 {
		e := g.ready.first()
		r, found, err := g.record(e.seq)
		switch {
		case err != nil:
			return err
		case !found:
			t.missing(e.seq, e.seq)
			g.detachLocked(e)
			g.finishLocked(e)
		case t.m.Filter != nil && !t.m.Filter(&r):
			g.detachLocked(e)
			g.finishLocked(e)
			g.stats.Filtered++
		case !t.fits(&r):
			t.left = 0
		default:
			g.detachLocked(e)
			t.give(e, &r, true)
		}
	}
	return nil
}

// record reads one record.
func (g *Group) record(seq uint64) (r store.Record, found bool, err error) {
	records, err := g.log.Read(nil, seq, 1, 0)
	if err != nil || len(records) == 0 || records[0].Seq != seq {
		return r, false, err
	}
	return records[0], true, nil
}
