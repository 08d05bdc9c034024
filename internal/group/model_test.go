package group

import (
	"fmt"
	"slices"
	"time"

	"github.com/ekkojs/ipc/store"
)

// model is what the promises say must be true of a group, kept beside it in
// the simplest way.
type model struct {
	*fixture
	records map[uint64]*modelRecord
	members []*modelMember
	last    uint64 // the highest that was delivered for the first time
	crashes int
	filters bool // there was a member that does not want all
	broken  bool // the cursor could not be kept at times
	pending []func()
}

// modelRecord is all that happened to a record.
type modelRecord struct {
	other      bool // it is for another group
	deliveries int  // over all processes
	holder     *modelMember
	due        time.Time
	crashes    int // that were survived since it was appended
	notBefore  time.Time

	acked, dead, gone    bool
	ackKept              bool // the state with that was written
	ackedIn, goneIn      int  // the process, by the number of crashes before it
	rejected, rejectKept bool
	rejectedIn           int
	burials              map[string]bool // IDs of dead letters
	deliveredInThisOne   int             // by this process
	deadInThisOne        int
}

type modelMember struct {
	*Member
	joined bool
	held   []uint64
}

func newModel(t tb, o Options) *model {
	m := &model{records: map[uint64]*modelRecord{}}
	o.Dead = m.bury
	m.fixture = newFixture(t, o)
	return m
}

// unwanted reports whether a member with a filter leaves the record out.
func unwanted(seq uint64) bool { return seq%5 == 0 }

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

func (m *model) append(n int, other bool) {
	for range n {
		_, next := m.log.Bounds()
		m.records[next] = &modelRecord{other: other}
		r := store.Record{Name: "n", Data: []byte(fmt.Sprint(next))}
		if other {
			r.Group = "other"
		}
		m.add(r)
	}
}

func (m *model) join(credit int, filter bool, wait time.Duration) {
	member := &modelMember{Member: &Member{Credit: credit, CreditBytes: 4, AckWait: wait}, joined: true}
	if filter {
		m.filters = true
		member.Filter = func(r *store.Record) bool { return !unwanted(r.Seq) }
	}
	m.members = append(m.members, member)
	if out := m.g.Join(member.Member); (out != nil) != (m.o.Exclusive && len(m.joined()) > 1) {
		m.Fatalf("thrown out: %v", out)
	} else if out != nil {
		for _, other := range m.members {
			if other.Member == out {
				m.release(other)
			}
		}
	}
}

func (m *model) joined() (all []*modelMember) {
	for _, member := range m.members {
		if member.joined {
			all = append(all, member)
		}
	}
	return all
}

func (m *model) leave(member *modelMember) {
	if m.g.Leave(member.Member) != member.joined {
		m.Fatalf("leaving says otherwise")
	}
	m.release(member)
}

// release is what becomes of what a member holds when it is none any more.
func (m *model) release(member *modelMember) {
	member.joined = false
	for _, seq := range member.held {
		m.records[seq].holder = nil
	}
	member.held = nil
}

func (m *model) drop(member *modelMember, seq uint64) {
	m.records[seq].holder = nil
	member.held = slices.DeleteFunc(member.held, func(s uint64) bool { return s == seq })
}

func (m *model) take(member *modelMember, max, maxBytes int) int {
	m.Helper()
	got, err := m.g.Take(member.Member, nil, max, maxBytes)
	if !member.joined {
		if err == nil || got != nil {
			m.Fatalf("a stranger took %s", text(got))
		}
		return 0
	}
	if err != nil && m.log.fail == nil {
		m.Fatalf("take: %v", err)
	}
	taken := 0
	for _, d := range got {
		if d.Gap != nil {
			m.gap(d.Gap)
			continue
		}
		taken++
		m.delivered(member, d)
	}
	if taken > max {
		m.Fatalf("took %d of at most %d", taken, max)
	}
	bytes := 0
	for _, seq := range member.held {
		bytes += len(fmt.Sprint(seq))
	}
	if n := len(member.held); n > member.Credit || bytes > member.CreditBytes && n > 1 {
		m.Fatalf("a member of credit %d holds %d records of %d bytes", member.Credit, n, bytes)
	}
	return taken
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

// answers is one of Ack, Nak and Reject: it has to know what is held, and
// nothing else.
func (m *model) answers(member *modelMember, seqs []uint64, do func(*Member, []uint64) []uint64, known func(*modelRecord)) {
	var want []uint64
	left := slices.Clone(member.held)
	for _, seq := range seqs {
		if i := slices.Index(left, seq); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			want = append(want, seq)
		}
	}
	// Before the group is told: it may give up a record at once.
	for _, seq := range seqs {
		if slices.Contains(member.held, seq) {
			m.drop(member, seq)
			known(m.records[seq])
		}
	}
	if got := do(member.Member, seqs); !slices.Equal(got, want) {
		m.Fatalf("of %v are unknown %v, want %v", seqs, got, want)
	}
}

func (m *model) ack(member *modelMember, seqs []uint64) {
	m.answers(member, seqs, m.g.Ack, func(r *modelRecord) { r.acked, r.ackedIn = true, m.crashes })
}

func (m *model) nak(member *modelMember, seqs []uint64, delay time.Duration) {
	nak := func(member *Member, seqs []uint64) []uint64 { return m.g.Nak(member, seqs, delay) }
	m.answers(member, seqs, nak, func(r *modelRecord) { r.notBefore = m.clock.Add(delay) })
}

func (m *model) reject(member *modelMember, seqs []uint64) {
	reject := func(member *Member, seqs []uint64) []uint64 { return m.g.Reject(member, seqs, "no") }
	m.answers(member, seqs, reject, func(r *modelRecord) { r.rejected, r.rejectedIn = true, m.crashes })
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

func (m *model) flush() {
	if m.g.Flush() == nil {
		m.kept()
	}
}

// kept says that what the group knows outlives it from now on.
func (m *model) kept() {
	for _, r := range m.records {
		r.ackKept = r.ackKept || r.acked && r.ackedIn == m.crashes
		r.rejectKept = r.rejectKept || r.rejected && r.rejectedIn == m.crashes
	}
}

// crash ends the process, or closes the group properly, and begins anew.
func (m *model) crash(kill bool) {
	m.log.fail = nil
	if !kill {
		if err := m.g.Close(); err != nil {
			m.Fatalf("close: %v", err)
		}
		m.kept()
	}
	m.crashes++
	for _, member := range m.members {
		m.release(member)
	}
	m.members = nil
	for _, r := range m.records {
		r.notBefore = time.Time{}
		r.deliveredInThisOne, r.deadInThisOne = 0, 0
		if kill {
			r.crashes++
		}
	}
	m.open()
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
