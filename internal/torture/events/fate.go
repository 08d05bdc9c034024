package events

import (
	"cmp"
	"slices"
)

// fate is what became of one event in one group.
type fate struct {
	*checker
	m     *message // nil: nobody has published it, which was said already
	place *Place

	given    []*Event // in the order of time, and then of their numbers
	said     []*Event // Ack, Nak and Reject
	acked    []*Event // the Acks that were agreed to
	naked    []*Event // the Naks that were
	rejected *Event   // the Reject that was
	asked    bool     // to reject it, with whatever outcome
	dead     []*Event
}

// take adds the next record of the event.
func (f *fate) take(e *Event) {
	switch e.Kind {
	case Deliver:
		f.given = append(f.given, e)
	case Dead:
		f.dead = append(f.dead, e)
	case Ack, Nak, Reject:
		f.said = append(f.said, e)
		f.asked = f.asked || e.Kind == Reject
	case Settled:
		for i := len(f.said) - 1; i >= 0; i-- {
			if s := f.said[i]; s.Actor == e.Actor && s.Deliveries == e.Deliveries {
				f.agreed(s)
				return
			}
		}
	}
}

func (f *fate) agreed(s *Event) {
	switch s.Kind {
	case Ack:
		f.acked = append(f.acked, s)
	case Nak:
		f.naked = append(f.naked, s)
	case Reject:
		f.rejected = s
	}
}

// number is which delivery it was; the first one says nothing of that.
func number(e *Event) uint16 { return max(e.Deliveries, 1) }

func (f *fate) check() {
	f.flags()
	f.acknowledged()
	slices.SortStableFunc(f.given, func(a, b *Event) int { return cmp.Compare(number(a), number(b)) })
	f.holders()
	f.letters()
}

// flags finds a second delivery that looks like the first.
func (f *fate) flags() {
	first := false
	for _, e := range f.given {
		switch {
		case e.Flags&Redelivered != 0:
		case first:
			f.add(Flagged, e, "the group has had it before, and it is not flagged")
			return
		case e.Deliveries > 1:
			f.add(Flagged, e, "it is delivery %d, and not flagged", e.Deliveries)
			return
		default:
			first = true
		}
	}
}

// acknowledged finds what comes again, or is acknowledged again, after that.
func (f *fate) acknowledged() {
	for i, a := range f.acked {
		if i > 0 && !between(f.kills, f.acked[i-1].At, a.At) {
			f.add(AckedDone, a, "it was acknowledged twice")
			return
		}
		held := f.heldFor(a)
		for _, e := range f.given {
			if held != nil && number(e) > number(held) && !between(f.kills, a.At, e.At) && !between(f.kills, held.At, a.At) {
				f.add(AckedDone, e, "it was acknowledged as delivery %d and comes as delivery %d", number(held), number(e))
				return
			}
		}
	}
}

// heldFor returns the delivery that a member speaks of.
func (f *fate) heldFor(said *Event) (held *Event) {
	for _, e := range f.given {
		if e.Actor == said.Actor && e.At <= said.At {
			held = e
		}
	}
	return held
}

// holders finds a delivery while another member had the event. When that one
// was given it is not known, but not before the event was published, nor
// before the delivery before it.
func (f *fate) holders() {
	if f.m == nil {
		return
	}
	since := f.m.invoked
	for i := 1; i < len(f.given); i++ {
		before, e := f.given[i-1], f.given[i]
		switch {
		case between(f.kills, since, e.At):
		case number(before) == number(e):
			f.add(OneHolder, e, "there are two deliveries %d of it", number(e))
			return
		case !f.ended(before, e, since):
			f.add(OneHolder, e, "member %d.%d still had it, for %s at most", before.Actor>>16, before.Actor&0xffff, f.place.AckWait)
			return
		}
	}
}

// ended reports whether a member did not have the event any more when it was
// given again.
func (f *fate) ended(before, e *Event, since int64) bool {
	if e.At >= since+int64(f.place.AckWait) || between(f.broken[before.Actor>>16], since, e.At) {
		return true
	}
	if left, ok := f.left[before.Actor]; ok && left <= e.At {
		return true
	}
	for _, s := range f.said {
		if s.Actor == before.Actor && s.Kind == Nak && s.At+int64(s.Count) <= e.At {
			return true
		}
	}
	return false
}

// letters holds the dead letters of the event against why there are any.
func (f *fate) letters() {
	if len(f.dead) == 0 {
		f.missing()
		return
	}
	d := f.dead[0]
	switch {
	case len(f.dead) > 1:
		f.add(DeadOnce, d, "there are %d dead letters of it", len(f.dead))
	case d.Deliveries < maxDeliver && !f.asked:
		f.add(DeadOnce, d, "it is a dead letter after %d deliveries, and nobody has rejected it", d.Deliveries)
	}
	for _, a := range f.acked {
		if !between(f.kills, a.At, 1<<62) {
			f.add(DeadOnce, d, "it was acknowledged and is a dead letter")
			return
		}
	}
}

// missing finds that an event should be a dead letter and is none. What is in
// memory goes with its service.
func (f *fate) missing() {
	if f.m == nil || !f.place.Stream.persistent() && f.m.at.epoch != f.final[f.place.Stream] {
		return
	}
	if e := f.given; len(e) > 0 && poisoned(f.m.publisher, f.m.counter) {
		f.add(DeadOnce, e[0], "nobody has acknowledged it, and it is no dead letter")
	} else if f.rejected != nil && !between(f.kills, f.rejected.At, 1<<62) {
		f.add(DeadOnce, f.rejected, "it was rejected and is no dead letter")
	}
}
