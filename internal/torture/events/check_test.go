package events

import (
	"slices"
	"testing"
	"time"
)

// script makes histories: each record is a millisecond later than the one
// before it.
type script struct{ History }

const (
	epochOne = 11
	second   = int64(time.Second)
)

func (s *script) add(e Event) {
	if e.At == 0 {
		e.At = 1e6
		if n := len(s.Events); n > 0 {
			e.At += s.Events[n-1].At
		}
	}
	if e.Kind != Gap && e.Publisher != 0 && e.Hash == 0 {
		e.Hash = uint64(e.Publisher*100 + e.Counter)
	}
	s.Events = append(s.Events, e)
}

func (s *script) wait(d int64) { s.Events[len(s.Events)-1].At += d }

// publish is an event with a receipt.
func (s *script) publish(stream Stream, counter uint32, seq uint64) {
	s.add(Event{Kind: Publish, Place: uint8(stream), Publisher: 1, Counter: counter})
	s.add(Event{Kind: Receipt, Place: uint8(stream), Publisher: 1, Counter: counter, Epoch: epochOne, Seq: seq})
}

// deliver is one delivery, as the number n; said is what the member says of it
// then, with success.
func (s *script) deliver(place uint8, actor, counter uint32, seq uint64, n uint16, said ...Kind) {
	e := Event{Kind: Deliver, Place: place, Actor: actor << 16, Publisher: 1, Counter: counter, Epoch: epochOne, Seq: seq, Deliveries: n}
	if n > 1 {
		e.Flags = Redelivered
	}
	s.add(e)
	for _, kind := range said {
		e.Kind, e.Flags = kind, 0
		s.add(e)
		e.Kind = Settled
		s.add(e)
	}
}

// The events of the healthy history. Of the jobs each goes to the groups a and
// b, of the orders to all durable subscriptions.
const (
	job     = 1 // acknowledged
	given   = 2 // given back once
	late    = 3 // not acknowledged in time
	refused = 4 // rejected
	order   = 5 // of the topic, and in doubt at first
	odd     = 6 // the same, and no even one
	another = 8 // the order after it
)

// poisonNumber is an event that nobody acknowledges.
var poisonNumber = func() uint32 {
	for n := uint32(100); ; n++ {
		if poisoned(1, n) {
			return n
		}
	}
}()

// healthy is a history without a contradiction that has something of
// everything.
func healthy() *script {
	s := &script{}
	s.publish(Jobs, job, 1)
	s.publish(Jobs, given, 2)
	s.publish(Jobs, late, 3)
	s.publish(Jobs, refused, 4)
	s.deliver(placeA, 1, job, 1, 0, Ack)
	s.deliver(placeA, 1, given, 2, 0, Nak)
	s.deliver(placeA, 2, given, 2, 2, Ack)
	s.deliver(placeA, 2, late, 3, 0)
	s.deliver(placeA, 1, refused, 4, 0, Reject)
	for i, n := range []uint32{job, given, late, refused} {
		s.deliver(placeB, 3, n, uint64(i+1), 0, Ack)
	}
	s.wait(3 * second)
	s.deliver(placeA, 1, late, 3, 2, Ack)

	s.add(Event{Kind: Publish, Place: uint8(Orders), Publisher: 1, Counter: order})
	s.add(Event{Kind: Doubt, Place: uint8(Orders), Publisher: 1, Counter: order})
	s.publish(Orders, order, 1)
	s.publish(Orders, odd, 2)
	s.publish(Orders, another, 3)
	for _, place := range []uint8{placeFast, placeSlow} {
		for i, n := range []uint32{order, odd, another} {
			s.deliver(place, uint32(place), n, uint64(i+1), 0, Ack)
		}
	}
	for i, n := range []uint32{odd, another} {
		s.deliver(placeEven, 20, n, uint64(i+2), 0, Ack)
	}
	for i, n := range []uint32{order, odd, another} {
		s.deliver(placeLive, 5, n, uint64(i+1), 0)
	}

	s.publish(Jobs, poisonNumber, 5)
	for n := range uint16(maxDeliver) {
		s.deliver(placeA, 1, poisonNumber, 5, n+1, Nak)
		s.deliver(placeB, 3, poisonNumber, 5, n+1, Nak)
	}

	s.publish(News, 20, 1)
	s.publish(News, 21, 2)
	s.publish(News, 22, 3)
	s.publish(News, 23, 4)
	s.deliver(placeNews, 6, 20, 1, 0)
	s.add(Event{Kind: Gap, Place: placeNews, Actor: 6 << 16, Epoch: epochOne, Seq: 2, To: 3, Count: 2})
	s.deliver(placeNews, 6, 23, 4, 0)
	s.publish(News, 24, 5)
	s.deliver(placeNewsE, 7, 20, 1, 0)
	s.add(Event{Kind: Gap, Place: placeNewsE, Actor: 7 << 16, Epoch: epochOne, Seq: 3, To: 3, Count: 1})
	s.deliver(placeNewsE, 7, 24, 5, 0)

	s.add(Event{Kind: Publish, Place: uint8(News), Publisher: 1, Counter: 30})
	s.add(Event{Kind: Refused, Place: uint8(News), Publisher: 1, Counter: 30})

	for i, n := range []uint32{order, odd, another} {
		s.add(Event{Kind: Stored, Place: uint8(Orders), Publisher: 1, Counter: n, Epoch: epochOne, Seq: uint64(i + 1)})
	}
	for _, place := range []uint8{placeA, placeB} {
		s.add(Event{Kind: Dead, Place: place, Publisher: 1, Counter: poisonNumber, Epoch: epochOne, Seq: 5, Deliveries: maxDeliver})
	}
	s.add(Event{Kind: Dead, Place: placeA, Publisher: 1, Counter: refused, Epoch: epochOne, Seq: 4, Deliveries: 1})
	return s
}

// TestCheckHealthy finds nothing where there is nothing.
func TestCheckHealthy(t *testing.T) {
	for _, c := range Check(&healthy().History) {
		t.Errorf("%s\n%s", c, healthy().Excerpt(c))
	}
	if found := Check(&History{}); found != nil {
		t.Errorf("an empty history: %v", found)
	}
}

// find returns the nth record of that kind, place and counter.
func (s *script) find(kind Kind, place uint8, counter uint32, nth int) int {
	for i, e := range s.Events {
		if e.Kind == kind && e.Place == place && (e.Counter == counter || kind == Gap) {
			if nth--; nth < 0 {
				return i
			}
		}
	}
	panic("the healthy history has no such " + kind.String())
}

func drop(kind Kind, place uint8, counter uint32) func(*script) {
	return func(s *script) {
		i := s.find(kind, place, counter, 0)
		s.Events = slices.Delete(s.Events, i, i+1)
	}
}

func change(kind Kind, place uint8, counter uint32, nth int, f func(*Event)) func(*script) {
	return func(s *script) { f(&s.Events[s.find(kind, place, counter, nth)]) }
}

func repeat(kind Kind, place uint8, counter uint32, f func(*Event)) func(*script) {
	return func(s *script) {
		e := s.Events[s.find(kind, place, counter, 0)]
		e.At = 0
		if f != nil {
			f(&e)
		}
		s.add(e)
	}
}

// mutations are faults of a history, each with the rules that it breaks.
var mutations = []struct {
	name   string
	rules  []Rule
	mutate func(*script)
}{
	{"an acknowledged event that a durable subscription never gets", []Rule{AckedKept}, drop(Deliver, placeFast, order)},
	{"one that a group never gets", []Rule{AckedKept}, drop(Deliver, placeB, job)},
	{"a gap in what must be kept", []Rule{AckedKept}, func(s *script) {
		s.add(Event{Kind: Gap, Place: placeSlow, Epoch: epochOne, Seq: 9, To: 9, Count: 1})
	}},
	{"a persistent stream begins anew", []Rule{AckedKept}, change(Stored, uint8(Orders), another, 0, func(e *Event) { e.Epoch = 12 })},

	{"an acknowledged event that the service does not have in the end", []Rule{AckedKept}, drop(Stored, uint8(Orders), odd)},
	{"an event of nobody", []Rule{NotInvented}, repeat(Deliver, placeLive, another, func(e *Event) { e.Counter, e.Seq = 99, 4 })},
	{"other bytes", []Rule{NotInvented}, change(Deliver, placeLive, odd, 0, func(e *Event) { e.Hash++ })},
	{"an event on another stream", []Rule{NotInvented}, repeat(Deliver, placeLive, another, func(e *Event) { e.Counter, e.Seq, e.Hash = job, 4, 100+job })},
	{"an outcome of nothing", []Rule{NotInvented}, func(s *script) { s.add(Event{Kind: Doubt, Publisher: 1, Counter: 77}) }},

	{"receipts that fall", []Rule{ReceiptsRise}, func(s *script) { s.publish(News, 40, 7); s.publish(News, 41, 6) }},
	{"a member gets what is new in another order", []Rule{InOrder}, func(s *script) {
		s.publish(Tasks, 40, 1)
		s.publish(Tasks, 41, 2)
		s.deliver(placeTasks, 9, 41, 2, 0, Ack)
		s.deliver(placeTasks, 9, 40, 1, 0, Ack)
	}},
	{"a redelivery without its flag", []Rule{Flagged}, change(Deliver, placeA, given, 1, func(e *Event) { e.Flags = 0 })},

	{"an ID that is stored twice", []Rule{StoredOnce}, repeat(Stored, uint8(Orders), order, func(e *Event) { e.Seq = 4 })},
	{"an ID that is delivered twice", []Rule{StoredOnce}, func(s *script) { s.deliver(placeLive, 5, order, 4, 0) }},

	{"refused and read all the same", []Rule{RefusedNotKept}, func(s *script) { s.deliver(placeNewsF, 12, 30, 6, 0) }},

	{"two holders", []Rule{OneHolder}, func(s *script) {
		s.publish(Tasks, 40, 1)
		s.deliver(placeTasks, 8, 40, 1, 0)
		s.deliver(placeTasks, 9, 40, 1, 2, Ack)
	}},
	{"a delivery that comes twice", []Rule{OneHolder}, func(s *script) {
		s.publish(Tasks, 40, 1)
		s.deliver(placeTasks, 8, 40, 1, 0, Nak)
		s.deliver(placeTasks, 9, 40, 1, 2)
		s.deliver(placeTasks, 8, 40, 1, 2, Ack)
	}},
	{"before the delay is over", []Rule{OneHolder}, change(Nak, placeA, given, 0, func(e *Event) { e.Count = uint64(second) })},
	{"acknowledged, and it comes again", []Rule{AckedDone}, func(s *script) { s.wait(3 * second); s.deliver(placeA, 1, job, 1, 2) }},
	{"acknowledged by two", []Rule{AckedDone}, func(s *script) { s.wait(3 * second); s.deliver(placeA, 2, given, 2, 3, Ack) }},

	{"a dead letter twice", []Rule{DeadOnce}, repeat(Dead, placeA, refused, nil)},
	{"no dead letter", []Rule{DeadOnce}, drop(Dead, placeB, poisonNumber)},
	{"no dead letter of what was rejected", []Rule{DeadOnce}, drop(Dead, placeA, refused)},
	{"a dead letter of what was acknowledged", []Rule{DeadOnce}, func(s *script) {
		s.add(Event{Kind: Dead, Place: placeA, Publisher: 1, Counter: late, Epoch: epochOne, Seq: 3, Deliveries: maxDeliver})
	}},
	{"a dead letter too soon", []Rule{DeadOnce}, change(Dead, placeB, poisonNumber, 0, func(e *Event) { e.Deliveries = 2 })},

	{"a gap that is not said", []Rule{Covered}, drop(Gap, placeNews, 0)},
	{"a gap that counts one too few", []Rule{Covered}, change(Gap, placeNews, 0, 0, func(e *Event) { e.Count-- })},
	{"a gap that is elsewhere", []Rule{Covered}, change(Gap, placeNews, 0, 0, func(e *Event) { e.To++ })},
	{"a gap of what was not asked for", []Rule{Covered}, change(Gap, placeNewsE, 0, 0, func(e *Event) { e.Count++ })},
	{"part of a stream without its gap", []Rule{Covered}, drop(Gap, placeNewsE, 0)},
	{"an event of a durable stream is left out", []Rule{Covered}, drop(Deliver, placeLive, odd)},
	{"an epoch that changes in silence", []Rule{Covered}, func(s *script) {
		s.add(Event{Kind: Publish, Place: uint8(News), Publisher: 1, Counter: 50})
		s.add(Event{Kind: Deliver, Place: placeNews, Actor: 6 << 16, Publisher: 1, Counter: 50, Epoch: 13, Seq: 1})
	}},
	{"a place that is gone back to, and another comes", []Rule{Covered}, func(s *script) {
		e := Event{Kind: Deliver, Place: placeAgain, Actor: 9 << 16, Publisher: 1, Counter: another, Epoch: epochOne, Seq: 3, To: 2}
		s.add(e)
	}},

	{"an event twice", []Rule{NoDuplicate}, func(s *script) { s.deliver(placeNews, 6, 23, 4, 0) }},
	{"an event again later", []Rule{NoDuplicate}, func(s *script) { s.deliver(placeLive, 5, order, 1, 0) }},

	{"a number that is given twice", []Rule{AckedKept, SameAgain}, func(s *script) { s.publish(Tasks, 40, 1); s.publish(Tasks, 41, 2); s.reuse() }},
	{"the filter is not heeded", []Rule{Filtered}, func(s *script) { s.deliver(placeEven, 4, order, 1, 2, Ack) }},
}

// reuse is another publisher's receipt for the place of an event.
func (s *script) reuse() {
	s.add(Event{Kind: Publish, Place: uint8(Tasks), Publisher: 2, Counter: 1})
	s.add(Event{Kind: Receipt, Place: uint8(Tasks), Publisher: 2, Counter: 1, Epoch: epochOne, Seq: 1})
	for i, c := range []uint32{40, 41} {
		s.deliver(placeTasks, 9, c, uint64(i+1), 0, Ack)
	}
}

// TestCheckMutations plants one fault after another in a history and looks for
// the rule that it breaks.
func TestCheckMutations(t *testing.T) {
	tested := map[Rule]bool{Accounted: true} // by TestAccounts
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			s := healthy()
			m.mutate(s)
			var got []Rule
			found := Check(&s.History)
			for _, c := range found {
				got = append(got, c.Rule)
			}
			slices.Sort(got)
			got = slices.Compact(got)
			if !slices.Equal(got, m.rules) {
				t.Errorf("breaks %q, found %q: %v", m.rules, got, found)
			}
		})
		for _, rule := range m.rules {
			tested[rule] = true
		}
	}
	for _, rule := range Rules {
		if !tested[rule] {
			t.Errorf("no mutation breaks %s", rule)
		}
	}
}

// TestKillsTakeTime is about what happens while a service is being killed: it
// may be before its end or after.
func TestKillsTakeTime(t *testing.T) {
	ran := func(over bool) []Contradiction {
		s := healthy()
		s.publish(Tasks, 40, 1)
		s.add(Event{Kind: KillService})
		s.deliver(placeTasks, 9, 40, 1, 0, Ack)
		if over {
			s.add(Event{Kind: KillService, Flags: Over})
		}
		s.deliver(placeTasks, 9, 40, 1, 2, Ack)
		return Check(&s.History)
	}
	if found := ran(true); found != nil {
		t.Errorf("acknowledged by a service that dies: %v", found)
	}
	if found := ran(false); len(found) == 0 || found[0].Rule != AckedDone {
		t.Errorf("acknowledged by a service that came afterwards: %v", found)
	}
}

// TestRecords writes records and reads them.
func TestRecords(t *testing.T) {
	e := Event{Kind: Gap, Place: 3, Flags: Restarted, Deliveries: 4, Actor: 5, Publisher: 6, Counter: 7, At: 8, Epoch: 9, Seq: 10, To: 11, Count: 12, Hash: 13}
	b := e.append(nil)
	var got Event
	if got.read(b); len(b) != eventSize || got != e {
		t.Errorf("%d bytes: %+v", len(b), got)
	}
	if p, n := named(payload(12, 34, 5)); p != 12 || n != 34 {
		t.Errorf("the payload of event 12/34 is that of %d/%d", p, n)
	}
	for _, text := range []string{"", "null", `{"p":1}`, `{"n":1,"p":2}`} {
		if p, n := named([]byte(text)); p != 0 || n != 0 {
			t.Errorf("%q is said to be event %d/%d", text, p, n)
		}
	}
}
