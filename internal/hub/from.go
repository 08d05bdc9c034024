package hub

import (
	"time"

	"github.com/ekkojs/ipc/internal/filter"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// From says where the delivery of a subscription begins. The zero From is the
// next event.
type From struct {
	Kind    FromKind
	Cursor  Cursor            // of FromCursor: the first event that is wanted
	Cursors map[string]Cursor // of FromCursors: likewise, by stream
	Time    time.Time         // of FromTime

	looked map[*stream]look // of FromLast: what Look has found
}

// FromKind is a way to say where delivery begins.
type FromKind uint8

// The kinds. All but FromNew and FromCursors need a stream that keeps events;
// of a pattern with wildcards they leave those that do not as they are.
const (
	FromNew    FromKind = iota // with the next event
	FromFirst                  // with the oldest that is kept
	FromLast                   // with the newest that is kept
	FromCursor                 // with that event, or CURSOR_INVALID
	FromTime                   // with the first one published then or later

	// FromCursors goes on where a subscription was interrupted. Where its
	// cursor does not hold any more delivery begins with the oldest event
	// that is kept, and Start says so.
	FromCursors
)

// startLocked returns the sequence number where delivery of s begins.
// interested reports which records count for FromLast. literal: the
// subscription names the stream, so that it must be able to do what is asked.
func (s *stream) startLocked(f From, literal bool, interested func(*store.Record) bool) (uint64, error) {
	next := s.seq + 1
	switch f.Kind {
	case FromNew:
		return next, nil
	case FromCursor:
		return s.exactLocked(f.Cursor)
	case FromCursors:
		return s.resumedLocked(f.Cursors), nil
	}
	switch {
	case s.Log == nil && literal && (f.Kind != FromLast || !s.Last):
		return 0, wire.Errorf(wire.CodeInvalidArgument, "%s keeps no events to begin with: its channel needs \"retention\", \"persistent\" or \"last\" in the manifest", s.Name)
	case s.Log == nil:
		return next, nil // what Last keeps comes besides
	case f.Kind == FromFirst:
		first, _ := s.Log.Bounds()
		return min(first, next), nil
	case f.Kind == FromTime:
		return min(s.Log.At(f.Time), next), nil
	}
	return s.newestLocked(f.looked[s], interested), nil
}

// exactLocked returns the place of c, or why there is none.
func (s *stream) exactLocked(c Cursor) (uint64, error) {
	first, next := s.seq+1, s.seq+1
	if s.Log != nil {
		first, _ = s.Log.Bounds()
	}
	if c.Epoch == s.epoch && c.Seq >= min(first, next) && c.Seq <= next {
		return c.Seq, nil
	}
	reason := "is not kept any more"
	switch {
	case c.Epoch != s.epoch:
		reason = "belongs to an earlier epoch"
	case c.Seq > next:
		reason = "has not been given to an event yet"
	}
	e := wire.Errorf(wire.CodeCursorInvalid, "%s: the place %d in epoch %q %s", s.Name, c.Seq, c.Epoch, reason)
	e.Details.More = map[string]any{"epoch": s.epoch, "firstAvailable": min(first, next), "next": next}
	return 0, e
}

// resumedLocked returns the place that comes nearest to where an earlier
// subscription stood.
func (s *stream) resumedLocked(cursors map[string]Cursor) uint64 {
	next := s.seq + 1
	c, seen := cursors[s.Name]
	if s.Log == nil || !seen {
		return next
	}
	first, _ := s.Log.Bounds()
	if first = min(first, next); c.Epoch != s.epoch {
		return first
	}
	return min(max(c.Seq, first), next)
}

// newestScan is how far back FromLast looks for an event that is wanted, and
// newestRest how much of that it does while nothing can be published.
const (
	newestScan = 4096
	newestRest = 64
)

// look is the newest of the records up to until that is wanted, or the one
// after until if there is none.
type look struct{ at, until uint64 }

// Look reads what has to be read of the logs for f, which is then ready for
// Subscribe. That does it by itself; this is for those who call it with locks
// of their own held.
func (h *Hub) Look(pattern string, f From, only *filter.Filter) From {
	parsed, err := wire.ParsePattern(eventName(pattern))
	if f.Kind != FromLast || f.looked != nil || err != nil {
		return f
	}
	f.looked = map[*stream]look{}
	for _, s := range h.topics.matching(parsed) {
		if s.Log != nil {
			f.looked[s] = s.look(func(rec *store.Record) bool { return s.isFor(parsed, only, rec) })
		}
	}
	return f
}

func (s *stream) look(wanted func(*store.Record) bool) look {
	const step = 64
	first, _ := s.Log.Bounds()
	until := s.seqNow()
	for end := until + 1; end > first && until+1-end < newestScan; end -= min(step, end-first) {
		if at, found := s.newestIn(end-min(step, end-first), end, wanted); found {
			return look{at, until}
		}
	}
	return look{until + 1, until}
}

// newestIn returns the newest record from from to before end that is wanted.
// Of long ones not all are read at once.
func (s *stream) newestIn(from, end uint64, wanted func(*store.Record) bool) (at uint64, found bool) {
	for from < end {
		recs, err := s.Log.Read(nil, from, int(end-from), 1<<20)
		if err != nil || len(recs) == 0 {
			break // who subscribes there is told why
		}
		if seq, some := newestOf(recs, end, wanted); some {
			at, found = seq, true
		}
		from = recs[len(recs)-1].Seq + 1
	}
	return at, found
}

// newestOf returns the newest of the records before end that is wanted.
func newestOf(recs []store.Record, end uint64, wanted func(*store.Record) bool) (seq uint64, found bool) {
	for i := len(recs) - 1; i >= 0; i-- {
		if recs[i].Seq < end && wanted(&recs[i]) {
			return recs[i].Seq, true
		}
	}
	return 0, false
}

// newestLocked returns where the newest record that is wanted stands, or one
// before it if much was published since the look: nothing is missed by that.
func (s *stream) newestLocked(l look, wanted func(*store.Record) bool) uint64 {
	first, _ := s.Log.Bounds()
	next := s.seq + 1
	if since := next - min(l.until+1, next); since > 0 && since <= newestRest {
		recs, _ := s.Log.Read(nil, l.until+1, newestRest, 1<<20)
		if at, found := newestOf(recs, next, wanted); found {
			return at
		}
	}
	return min(max(l.at, first), next)
}
