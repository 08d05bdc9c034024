package group

import (
	"fmt"
	"slices"
	"time"

	"github.com/ekkojs/ipc/store"
)

// bury is Options.Dead: receipts come late, and some say no.
func (m *model) bury(r store.Record, done func(store.Receipt)) {
	rec, crashes := m.records[r.Dead.Seq], m.crashes
	switch {
	case rec.acked && rec.ackedIn == m.crashes:
		m.Fatalf("record %d is acknowledged and dead", r.Dead.Seq)
	case !rec.rejected && rec.deliveries < m.o.MaxDeliver:
		m.Fatalf("record %d is dead after %d deliveries", r.Dead.Seq, rec.deliveries)
	case rec.deadInThisOne > 0:
		m.Fatalf("record %d is dead twice", r.Dead.Seq)
	case string(r.Data) != fmt.Sprint(r.Dead.Seq) || r.Dead.Reason == "":
		m.Fatalf("dead letter %+v, %+v", r, r.Dead)
	}
	deny := m.deny
	m.pending = append(m.pending, func() {
		if deny != nil {
			done(store.Receipt{Err: deny})
			return
		}
		// The log of dead letters outlives the process, whose receipt may
		// not come.
		if rec.burials == nil {
			rec.burials = map[string]bool{}
		}
		rec.burials[r.ID] = true
		rec.dead = true
		if crashes == m.crashes {
			rec.deadInThisOne++
			done(store.Receipt{Seq: 1})
		}
	})
}

func (m *model) receipts() {
	for len(m.pending) > 0 {
		next := m.pending[0]
		m.pending = m.pending[1:]
		next()
	}
}

func (m *model) delivered(member *modelMember, d Delivery) {
	m.Helper()
	r := m.records[d.Seq]
	first, _ := m.log.Bounds()
	switch {
	case d.Seq < first:
		m.Fatalf("record %d is not in the log any more", d.Seq)
	case r == nil:
		m.Fatalf("record %d was never appended", d.Seq)
	case r.other:
		m.Fatalf("record %d is for another group", d.Seq)
	case member.Filter != nil && unwanted(d.Seq):
		m.Fatalf("record %d is not wanted", d.Seq)
	case r.holder != nil:
		m.Fatalf("record %d is held until %v, now %v", d.Seq, r.due, m.clock)
	case m.clock.Before(r.notBefore):
		m.Fatalf("record %d is to be delivered at %v, now %v", d.Seq, r.notBefore, m.clock)
	case r.ackKept || r.acked && r.ackedIn == m.crashes:
		m.Fatalf("record %d was acknowledged", d.Seq)
	case r.deadInThisOne > 0 || r.gone && r.goneIn == m.crashes:
		m.Fatalf("record %d was done with", d.Seq)
	case r.rejected && (r.rejectKept || r.rejectedIn == m.crashes):
		m.Fatalf("record %d was rejected", d.Seq)
	case d.Deliveries > m.o.MaxDeliver:
		m.Fatalf("record %d is delivered %d times", d.Seq, d.Deliveries)
	case r.deliveries > 0 && !d.Redelivered:
		m.Fatalf("record %d was delivered before, and is not flagged", d.Seq)
	case r.deliveries == 0 && d.Redelivered && r.crashes == 0:
		m.Fatalf("record %d is flagged, and was never delivered", d.Seq)
	case d.Deliveries > r.deliveries+1 || d.Deliveries <= r.deliveredInThisOne:
		m.Fatalf("record %d was delivered %d times, %d of them now, and %d are said", d.Seq, r.deliveries, r.deliveredInThisOne, d.Deliveries)
	case d.Deliveries < r.deliveries && !m.broken:
		m.Fatalf("record %d was delivered %d times before, and %d are said", d.Seq, r.deliveries, d.Deliveries)
	case r.deliveries == 0 && d.Seq < m.last && !(m.filters && unwanted(d.Seq)): // a filter may not be that of an earlier process
		m.Fatalf("record %d comes for the first time, after %d", d.Seq, m.last)
	}
	if r.deliveries == 0 {
		m.last = max(m.last, d.Seq)
	}
	r.deliveries++
	r.deliveredInThisOne++
	r.holder, r.due = member, m.clock.Add(member.AckWait)
	member.held = append(member.held, d.Seq)
}

func (m *model) gap(gap *Gap) {
	first, _ := m.log.Bounds()
	if gap.From > gap.To || gap.To >= first || gap.Count != gap.To-gap.From+1 {
		m.Fatalf("gap %+v in a log from %d", *gap, first)
	}
	for seq := gap.From; seq <= gap.To; seq++ {
		r := m.records[seq]
		if r.holder != nil || r.acked && r.ackedIn == m.crashes || r.gone && r.goneIn == m.crashes || r.deadInThisOne > 0 {
			m.Fatalf("record %d is missed, and should not be", seq)
		}
		r.gone, r.goneIn = true, m.crashes
	}
}

// expire moves the clock. Nothing that is held is late without a deadline.
func (m *model) expire(d time.Duration) {
	end := m.clock.Add(d)
	at := m.g.Deadline()
	for _, r := range m.records {
		if r.holder != nil && (at.IsZero() || at.After(r.due)) {
			m.Fatalf("the deadline is %v, a record is due at %v", at, r.due)
		}
	}
	m.clock = end
	for _, member := range m.members {
		for _, seq := range slices.Clone(member.held) {
			if !m.records[seq].due.After(end) {
				m.drop(member, seq)
			}
		}
	}
	m.g.Expire(end)
}

// check holds at any moment.
func (m *model) check() {
	out := 0
	floor := m.g.Floor()
	for seq, r := range m.records {
		if r.holder != nil {
			out++
		}
		done := r.other || r.acked || r.dead || r.gone || m.filters && unwanted(seq)
		if seq < floor && !done {
			m.Fatalf("record %d is not done, and the floor is %d", seq, floor)
		}
	}
	st := m.g.Stats()
	if st.Pending != out || st.Members != len(m.joined()) {
		m.Fatalf("%d records are held: %+v", out, st)
	}
	if st.Pending+st.Ready+st.Later+st.Dying > max(m.o.MaxPending, 1) {
		m.Fatalf("more than %d are out: %+v", m.o.MaxPending, st)
	}
}

// heal has one good member handle everything that there is.
func (m *model) heal() {
	m.log.fail, m.deny = nil, nil
	for _, member := range m.joined() {
		m.leave(member)
	}
	m.join(3, false, time.Second)
	good := m.joined()[0]
	for idle := 0; idle < 3; idle++ {
		for m.take(good, 100, 100) > 0 {
			m.ack(good, slices.Clone(good.held))
			idle = 0
		}
		m.receipts()
		m.expire(MaxDelay)
	}
	m.receipts()
	m.flush()
	_, next := m.log.Bounds()
	if floor := m.g.Floor(); floor != next {
		m.Fatalf("the floor is %d of %d", floor, next)
	}
	for seq, r := range m.records {
		if !r.other && !r.acked && !r.dead && !r.gone && !(m.filters && unwanted(seq)) {
			m.Fatalf("record %d is lost", seq)
		}
		if len(r.burials) > 1 {
			m.Fatalf("record %d has %d dead letters", seq, len(r.burials))
		}
		if m.crashes == 0 && r.acked && r.dead {
			m.Fatalf("record %d is acknowledged and dead", seq)
		}
	}
}
