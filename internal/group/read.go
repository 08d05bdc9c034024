package group

import "github.com/ekkojs/ipc/store"

// ahead is what has been read of the log and not been taken: members that
// take one record at a time should not have each read alone.
type ahead struct {
	records []store.Record // those from place on are the next ones
	place   int
}

func (a *ahead) left() []store.Record { return a.records[a.place:] }

// forget drops all.
func (a *ahead) forget() {
	clear(a.records)
	a.records, a.place = a.records[:0], 0
}

// read gives new records.
func (t *taking) read() error {
	g := t.g
	g.refreshLocked()
	for scanned := 0; t.left > 0 && scanned < maxScan && len(g.entries) < g.options.MaxPending; {
		if len(g.ahead.left()) == 0 {
			// The more was passed over, the more is read at once.
			more, err := t.fill(max(t.left, scanned))
			if !more || err != nil {
				return err
			}
			continue
		}
		before := g.ahead.place
		if more, err := t.batch(); !more || err != nil {
			return err
		}
		scanned += g.ahead.place - before
	}
	return nil
}

// refreshLocked forgets what was read ahead if the log has removed any of it
// since: what is too old is not delivered.
func (g *Group) refreshLocked() {
	if left := g.ahead.left(); len(left) > 0 {
		if first, _ := g.log.Bounds(); first > left[0].Seq {
			g.ahead.forget()
		}
	}
}

// fill reads about n records, and reports whether there may be any.
func (t *taking) fill(n int) (more bool, err error) {
	g := t.g
	g.ahead.forget()
	g.ahead.records, err = g.log.Read(g.ahead.records, g.next, min(max(n, minBatch), maxBatch), max(t.bytes, aheadBytes))
	if err != nil || len(g.ahead.records) > 0 {
		return err == nil, err
	}
	first, _ := g.log.Bounds()
	if first <= g.next {
		g.end = g.next // until Appended says more
		return false, nil
	}
	t.missing(g.next, first-1)
	g.passLocked(first)
	return true, nil
}

// batch gives what has been read, and reports whether there may be more.
func (t *taking) batch() (more bool, err error) {
	g := t.g
	for left := g.ahead.left(); len(left) > 0; left = g.ahead.left() {
		r := &left[0]
		if r.Seq > g.next {
			t.missing(g.next, r.Seq-1)
			g.passLocked(r.Seq)
		}
		switch {
		case r.Group != "" && r.Group != g.name:
			g.passLocked(r.Seq + 1)
		case t.m.Filter != nil && !t.m.Filter(r):
			g.stats.Filtered++
			g.passLocked(r.Seq + 1)
		case t.left == 0 || len(g.entries) >= g.options.MaxPending || !t.fits(r):
			return false, nil
		default:
			if err := g.claimLocked(r.Seq); err != nil {
				return false, err
			}
			t.give(g.newEntryLocked(r.Seq), r, r.Seq < g.suspect)
			g.next = r.Seq + 1
		}
		*r = store.Record{} // it is the member's
		g.ahead.place++
	}
	return true, nil
}

// passLocked goes on to next without entries for what is before.
func (g *Group) passLocked(next uint64) {
	g.next = next
	g.end = max(g.end, next)
	g.changedLocked()
}
