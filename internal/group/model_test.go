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
