package group

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tb is what *testing.T, *testing.B and *rapid.T have in common.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

// fixture is a log with a clock, and a group on it.
type fixture struct {
	tb
	log   *testLog
	g     *Group
	o     Options
	clock time.Time
	dead  []store.Record // kept as dead letters
	deny  error          // why dead letters are not kept, if not nil
}

// testLog is a log in memory that can fail, and lose records.
type testLog struct {
	store.Log
	losses []store.Loss
	fail   error // of SetCursor
	writes int   // by SetCursor
}

func (l *testLog) Losses() []store.Loss { return l.losses }

func (l *testLog) SetCursor(name string, state []byte) error {
	if l.fail != nil {
		return l.fail
	}
	l.writes++
	return l.Log.SetCursor(name, state)
}

func newTestLog(t tb, limits store.Limits) *testLog {
	l, err := store.NewMemory().Log("log", limits)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return &testLog{Log: l}
}

func newFixture(t tb, o Options) *fixture {
	t.Helper()
	f := &fixture{tb: t, log: newTestLog(t, store.Limits{}), clock: time.UnixMilli(1e12)}
	o.Now = func() time.Time { return f.clock }
	if o.Dead == nil {
		o.Dead = func(r store.Record, done func(store.Receipt)) {
			if f.deny != nil {
				done(store.Receipt{Err: f.deny})
				return
			}
			f.dead = append(f.dead, r)
			done(store.Receipt{Seq: uint64(len(f.dead))})
		}
	}
	f.o = o
	f.open()
	return f
}

// open opens the group, which after the first time is what a process does
// that follows one that was killed.
func (f *fixture) open() {
	f.Helper()
	g, err := Open(f.log, "g", f.o)
	if err != nil {
		f.Fatalf("open: %v", err)
	}
	f.g = g
}

// fill appends n records, each with its sequence number as data.
func (f *fixture) fill(n int) {
	_, next := f.log.Bounds()
	for i := range uint64(n) {
		f.add(store.Record{Name: "n", Data: []byte(fmt.Sprint(next + i))})
	}
}

func (f *fixture) add(r store.Record) {
	f.log.Append(r, func(receipt store.Receipt) { f.g.Appended(receipt.Seq) })
}

func (f *fixture) join(m *Member) *Member {
	f.Helper()
	if out := f.g.Join(m); out != nil && !f.o.Exclusive {
		f.Fatalf("a member was thrown out")
	}
	return m
}

func (f *fixture) take(m *Member, max int) []Delivery {
	f.Helper()
	got, err := f.g.Take(m, nil, max, 1<<20)
	if err != nil {
		f.Fatalf("take: %v", err)
	}
	for _, d := range got {
		if d.Gap == nil && d.Group == "" && len(d.Data) < 10 && string(d.Data) != fmt.Sprint(d.Seq) {
			f.Fatalf("record %d has the data %q", d.Seq, d.Data)
		}
	}
	return got
}

// wait moves the clock, and calls Expire when it is due.
func (f *fixture) wait(d time.Duration) {
	end := f.clock.Add(d)
	for {
		at := f.g.Deadline()
		if at.IsZero() || at.After(end) {
			break
		}
		if at.After(f.clock) {
			f.clock = at
		}
		f.g.Expire(f.clock)
	}
	f.clock = end
}

// text writes deliveries down: "1" is a first delivery, "2*" one that is
// flagged, "3*2" its second by count, "[4-5 expired]" a gap.
func text(deliveries []Delivery) string {
	var all []string
	for _, d := range deliveries {
		s := fmt.Sprint(d.Seq)
		switch {
		case d.Gap != nil:
			s = fmt.Sprintf("[%d-%d %s]", d.Gap.From, d.Gap.To, d.Gap.Reason)
			if d.Gap.Count != d.Gap.To-d.Gap.From+1 {
				s += "?"
			}
		case d.Redelivered && d.Deliveries > 1:
			s += fmt.Sprint("*", d.Deliveries)
		case d.Redelivered:
			s += "*"
		case d.Deliveries != 1:
			s += fmt.Sprint("?", d.Deliveries)
		}
		all = append(all, s)
	}
	return fmt.Sprint(all)
}

func (f *fixture) takes(m *Member, max int, want string) {
	f.Helper()
	if got := text(f.take(m, max)); got != want {
		f.Fatalf("took %s, want %s", got, want)
	}
}

func (f *fixture) acks(m *Member, seqs ...uint64) {
	f.Helper()
	if unknown := f.g.Ack(m, seqs); unknown != nil {
		f.Fatalf("unknown: %v", unknown)
	}
}

func (f *fixture) floor(want uint64) {
	f.Helper()
	if err := f.g.Flush(); err != nil {
		f.Fatalf("flush: %v", err)
	}
	if got := f.g.Floor(); got != want {
		f.Fatalf("floor %d, want %d", got, want)
	}
}

func unknowns(t tb, got []uint64, want ...uint64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("unknown: %v, want %v", got, want)
	}
}

var errStorage = wire.Errorf(wire.CodeStorageUnavailable, "the test says so")
