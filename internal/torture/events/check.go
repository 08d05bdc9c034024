package events

import (
	"cmp"
	"fmt"
	"slices"
)

// name is a message by its publisher and the counter of that.
type name struct{ publisher, counter uint32 }

// spot is a place in a stream.
type spot struct {
	stream     Stream
	epoch, seq uint64
}

// message is what is known of one.
type message struct {
	name
	stream  Stream
	hash    uint64
	invoked int64 // when it was published first
	open    bool  // the last try has not ended
	doubt   bool  // some try has an end that nobody knows
	refused bool
	receipt bool // some try has one
	at      spot // seq is 0 while that is not known
	seen    bool // somebody has read it
}

// checker goes through a history.
type checker struct {
	h        *History
	messages map[name]*message
	order    []*message // as they were published
	spots    map[spot]*message
	final    [streams]uint64   // the last epoch of each stream
	kills    []span            // of the service
	broken   map[uint32][]span // by process: it was killed or cut off
	left     map[uint32]int64  // by actor
	live     map[uint32][]int  // by actor: what it has got, by place in the history
	groups   []int             // what concerns events of groups, likewise
	stored   map[*message]bool // what the service has in the end
	found    []Contradiction
}

// Check returns what is wrong with a history.
func Check(h *History) []Contradiction {
	c := &checker{
		h: h, messages: map[name]*message{}, spots: map[spot]*message{},
		broken: map[uint32][]span{}, left: map[uint32]int64{}, stored: map[*message]bool{}, live: map[uint32][]int{},
	}
	for i := range h.Events {
		c.published(&h.Events[i])
	}
	for i := range h.Events {
		c.read(i, &h.Events[i])
	}
	c.refusals()
	c.receipts()
	c.liveReaders()
	c.groupReaders()
	return c.found
}

// add notes a contradiction.
func (c *checker) add(r Rule, e *Event, format string, args ...any) {
	c.found = append(c.found, Contradiction{
		Rule: r, Stream: Places[e.Place].Stream, Place: Places[e.Place].Name, Publisher: e.Publisher, Counter: e.Counter, Seq: e.Seq,
		Text: fmt.Sprintf(format, args...),
	})
}

// published takes in what a publisher says, and what happens to processes.
func (c *checker) published(e *Event) {
	n := name{e.Publisher, e.Counter}
	m := c.messages[n]
	switch e.Kind {
	case Publish:
		if m == nil {
			m = &message{name: n, stream: Places[e.Place].Stream, hash: e.Hash, invoked: e.At}
			c.messages[n] = m
			c.order = append(c.order, m)
		}
		m.open = true
	case Receipt, Refused, Doubt:
		if m == nil {
			c.add(NotInvented, e, "it has an outcome and was not published")
			return
		}
		m.open = false
		m.receipt = m.receipt || e.Kind == Receipt
		m.refused = m.refused || e.Kind == Refused
		m.doubt = m.doubt || e.Kind == Doubt
	case KillService:
		c.kills = happened(c.kills, e)
	case KillProcess, Cut:
		c.broken[e.Actor>>16] = happened(c.broken[e.Actor>>16], e)
	case Leave:
		c.left[e.Actor] = e.At
	}
}

// read takes in where an event stands: by a receipt, or because it was read.
func (c *checker) read(i int, e *Event) {
	group := Places[e.Place].Role == roleGroup
	switch e.Kind {
	case Receipt:
		c.locate(e, true)
	case Deliver:
		c.locate(e, false)
		if only := Places[e.Place].Only; only != nil && !only(e.Publisher, e.Counter) {
			c.add(Filtered, e, "it was not asked for")
		}
		if !group {
			c.live[e.Actor] = append(c.live[e.Actor], i)
			break
		}
		c.groups = append(c.groups, i)
	case Gap:
		if !group {
			c.live[e.Actor] = append(c.live[e.Actor], i)
		} else if Places[e.Place].Stream.persistent() {
			c.add(AckedKept, e, "the service says that %d to %d are gone", e.Seq, e.To)
		}
	case Ack, Nak, Reject, Settled, Dead:
		c.groups = append(c.groups, i)
	case Stored:
		c.locate(e, false)
		c.stored[c.messages[name{e.Publisher, e.Counter}]] = true
	}
}

// locate holds what is known of where an event stands against what this says.
func (c *checker) locate(e *Event, receipt bool) {
	m := c.messages[name{e.Publisher, e.Counter}]
	at := spot{Places[e.Place].Stream, e.Epoch, e.Seq}
	switch {
	case m == nil:
		c.add(NotInvented, e, "nobody has published it")
		return
	case at.stream != m.stream:
		c.add(NotInvented, e, "it was published on %s", m.stream)
		return
	case !receipt && e.Hash != m.hash:
		c.add(NotInvented, e, "its bytes are not those that were published")
		return
	}
	m.seen = m.seen || !receipt
	c.final[at.stream] = e.Epoch // the last one in the order of time
	if other := c.spots[at]; other != nil && other != m {
		c.add(SameAgain, e, "the place is that of event %d/%d too", other.publisher, other.counter)
	}
	c.spots[at] = m
	switch {
	case m.at.seq == 0:
		m.at = at
	case m.at.epoch != at.epoch && !at.stream.persistent():
		// It was lost with the service, and is published again in doubt.
		if e.Kind == Receipt {
			m.at = at
		}
	case m.at.epoch != at.epoch:
		c.add(AckedKept, e, "the epoch of a persistent stream has changed")
		m.at = at
	case m.at != at:
		c.add(StoredOnce, e, "it stands at %d too", m.at.seq)
	}
}

// refusals finds what was refused and is read.
func (c *checker) refusals() {
	for _, m := range c.order {
		if m.refused && !m.receipt && !m.doubt && !m.open && m.seen {
			c.add(RefusedNotKept, c.event(m, uint8(m.stream)), "it is read, and was refused each time it was published")
		}
	}
}

// event is one that stands for a message in a contradiction.
func (c *checker) event(m *message, place uint8) *Event {
	return &Event{Place: place, Publisher: m.publisher, Counter: m.counter, Seq: m.at.seq, Epoch: m.at.epoch}
}

// receipts finds those that do not rise.
func (c *checker) receipts() {
	type lane struct {
		publisher uint32
		stream    Stream
		epoch     uint64
	}
	last := map[lane]uint64{}
	for i := range c.h.Events {
		e := &c.h.Events[i]
		if e.Kind != Receipt {
			continue
		}
		l := lane{e.Publisher, Places[e.Place].Stream, e.Epoch}
		if e.Seq <= last[l] {
			c.add(ReceiptsRise, e, "the publisher's receipt before this one said %d", last[l])
		}
		last[l] = e.Seq
	}
}

// liveReaders goes through what each reader outside of groups has got.
func (c *checker) liveReaders() {
	actors := make([]uint32, 0, len(c.live))
	for actor := range c.live {
		actors = append(actors, actor)
	}
	slices.Sort(actors)
	for _, actor := range actors {
		var last, gap *Event
		for _, i := range c.live[actor] {
			e := &c.h.Events[i]
			if e.Kind == Gap {
				gap = e
				continue
			}
			c.follows(last, gap, e)
			last, gap = e, nil
		}
	}
}

// follows holds an event of a reader against the one before it, nil if it is
// the first, and the gap that was said between them, nil if none was.
func (c *checker) follows(last, gap, e *Event) {
	only := Places[e.Place].Only
	switch {
	case last == nil && e.To != 0 && gap == nil && e.Seq != e.To && only == nil:
		c.add(Covered, e, "it is the first one from %d on, and no gap was said", e.To)
		return
	case last == nil:
		return
	case last.Epoch != e.Epoch:
		if gap == nil || gap.Flags&Restarted == 0 {
			c.add(Covered, e, "the epoch is a new one, and nobody has said so")
		}
		return
	case e.Seq <= last.Seq:
		c.add(NoDuplicate, e, "the event before it was %d", last.Seq)
		return
	}
	lost, known := e.Seq-last.Seq-1, true
	if only != nil {
		lost = 0
		for seq := last.Seq + 1; seq < e.Seq; seq++ {
			m := c.spots[spot{Places[e.Place].Stream, e.Epoch, seq}]
			if known = known && m != nil; m != nil && only(m.publisher, m.counter) {
				lost++
			}
		}
	}
	switch {
	case !known:
	case gap == nil && lost > 0:
		c.add(Covered, e, "%d events between %d and it were lost, and no gap was said", lost, last.Seq)
	case gap != nil && (gap.Count != lost || gap.Flags&Restarted != 0):
		c.add(Covered, e, "%d events between %d and it were lost, and the gap said %d (%d to %d)", lost, last.Seq, gap.Count, gap.Seq, gap.To)
	case gap != nil && only == nil && (gap.Seq != last.Seq+1 || gap.To != e.Seq-1):
		c.add(Covered, e, "the gap before it is from %d to %d, and said %d to %d", last.Seq+1, e.Seq-1, gap.Seq, gap.To)
	}
}

// span is from when something was about to happen until it had happened. At
// which moment it did nobody knows: until a service is dead it may answer.
type span struct{ from, to int64 }

// happened takes in the beginning or the end of one of them.
func happened(spans []span, e *Event) []span {
	if e.Flags&Over == 0 {
		return append(spans, span{e.At, e.At})
	}
	if n := len(spans); n > 0 {
		spans[n-1].to = e.At
	}
	return spans
}

// between reports whether one of the spans, of which each ends before the next
// begins, may have been then.
func between(spans []span, from, to int64) bool {
	i, _ := slices.BinarySearchFunc(spans, from, func(s span, from int64) int { return cmp.Compare(s.to, from) })
	return i < len(spans) && spans[i].from <= to
}

// groupReaders goes through what each group has got of each event.
func (c *checker) groupReaders() {
	ev := c.h.Events
	slices.SortStableFunc(c.groups, func(i, k int) int {
		a, b := &ev[i], &ev[k]
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Seq, b.Seq), cmp.Compare(i, k))
	})
	had := make([]map[*message]bool, len(Places))
	for p := range had {
		had[p] = map[*message]bool{}
	}
	for len(c.groups) > 0 {
		first := &ev[c.groups[0]]
		n := 1
		for n < len(c.groups) {
			if e := &ev[c.groups[n]]; e.Place != first.Place || e.Epoch != first.Epoch || e.Seq != first.Seq {
				break
			}
			n++
		}
		m := c.spots[spot{Places[first.Place].Stream, first.Epoch, first.Seq}]
		f := &fate{checker: c, m: m, place: &Places[first.Place]}
		for _, i := range c.groups[:n] {
			f.take(&ev[i])
		}
		f.check()
		if m != nil && len(f.given)+len(f.dead) > 0 {
			had[first.Place][m] = true
		}
		c.groups = c.groups[n:]
	}
	c.firstDeliveries()
	c.inTheEnd()
	for p := range Places {
		c.complete(uint8(p), had[p])
	}
}

// firstDeliveries finds those that a member got out of order.
func (c *checker) firstDeliveries() {
	type lane struct {
		actor uint32
		epoch uint64
	}
	last := map[lane]uint64{}
	for i := range c.h.Events {
		e := &c.h.Events[i]
		if e.Kind != Deliver || Places[e.Place].Role != roleGroup || e.Flags&Redelivered != 0 {
			continue
		}
		l := lane{e.Actor, e.Epoch}
		if e.Seq < last[l] {
			c.add(InOrder, e, "it came for the first time after %d did", last[l])
		}
		last[l] = e.Seq
	}
}

// inTheEnd finds the acknowledged events that the service does not have in the
// end: a topic has all from the first one on that it still has.
func (c *checker) inTheEnd() {
	first := ^uint64(0)
	for m := range c.stored {
		if m != nil && m.stream == Orders {
			first = min(first, m.at.seq)
		}
	}
	for _, m := range c.order {
		if m.stream == Orders && m.receipt && m.at.seq >= first && !c.stored[m] {
			c.add(AckedKept, c.event(m, uint8(Orders)), "it has a receipt, and the service does not have it")
		}
	}
}

// complete finds the acknowledged events that a group never had, and says
// where in the stream they are.
func (c *checker) complete(place uint8, had map[*message]bool) {
	p := &Places[place]
	if p.Role != roleGroup {
		return
	}
	var lost []*message
	first, last := ^uint64(0), uint64(0) // of those that it had
	for _, m := range c.order {
		if m.stream != p.Stream || !m.receipt || p.Only != nil && !p.Only(m.publisher, m.counter) {
			continue
		}
		if !p.Stream.persistent() && m.at.epoch != c.final[p.Stream] {
			continue
		}
		if !had[m] {
			lost = append(lost, m)
			continue
		}
		first, last = min(first, m.at.seq), max(last, m.at.seq)
	}
	for _, m := range lost {
		where := "in the middle of"
		switch {
		case m.at.seq < first:
			where = "before all"
		case m.at.seq > last:
			where = "after all"
		}
		c.add(AckedKept, c.event(m, place), "it has a receipt and never came; it stands %s that did (%d are lost)", where, len(lost))
	}
}
