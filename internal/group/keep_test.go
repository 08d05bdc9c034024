package group

import (
	"bytes"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

func TestAfterACrash(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(5)
	m := f.join(&Member{})
	f.takes(m, 4, "[1 2 3 4]")
	f.acks(m, 1, 3)
	f.wait(flushAfter)
	f.acks(m, 4)
	f.open() // the last acknowledgement had not been kept
	f.fill(1)
	m = f.join(&Member{})
	f.takes(m, 10, "[2*2 4*2 5 6]")
	f.acks(m, 2)
	f.open()
	m = f.join(&Member{})
	// The second acknowledgement of 2 was not kept either. That the records
	// were delivered again was.
	f.takes(m, 10, "[2*3 4*3 5*2 6*2]")
	f.fill(1)
	f.takes(m, 10, "[7]")
	f.acks(m, 2, 4, 5, 6, 7)
	f.wait(flushAfter)
	f.open()
	f.takes(f.join(&Member{}), 10, "[]")
	f.floor(8)
}

func TestCrashesCountAsDeliveries(t *testing.T) {
	f := newFixture(t, Options{MaxDeliver: 3})
	f.fill(1)
	for range 3 {
		f.take(f.join(&Member{}), 1)
		f.wait(flushAfter)
		f.open()
	}
	f.takes(f.join(&Member{}), 1, "[]")
	f.wait(0)
	if len(f.dead) != 1 || f.dead[0].Dead.Deliveries != 3 {
		t.Fatalf("dead %+v", f.dead)
	}
}

func TestARecordThatKillsEveryProcessIsGivenUp(t *testing.T) {
	f := newFixture(t, Options{MaxDeliver: 3})
	f.fill(2)
	for _, want := range []string{"[1]", "[1*]", "[1*2]", "[1*3]"} {
		f.takes(f.join(&Member{}), 1, want)
		f.open() // at once: the first time nothing but a claim had been kept
	}
	f.wait(0)
	if len(f.dead) != 1 {
		t.Fatalf("%d dead letters", len(f.dead))
	}
	f.takes(f.join(&Member{}), 1, "[2*]")
}

func TestARejectionOutlivesACrash(t *testing.T) {
	f := newFixture(t, Options{})
	f.deny = errStorage
	f.fill(1)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.g.Reject(m, []uint64{1}, "")
	f.wait(flushAfter)
	f.open()
	f.deny = nil
	f.takes(f.join(&Member{}), 1, "[]")
	f.wait(0)
	if len(f.dead) != 1 {
		t.Fatalf("%d dead letters", len(f.dead))
	}
	f.floor(2)
}

func TestNothingNewIsDeliveredThatCannotBeClaimed(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(3)
	woken := false
	m := f.join(&Member{Wake: func() { woken = true }})
	f.takes(m, 1, "[1]")
	f.wait(flushAfter)
	f.log.fail = errStorage
	if got, err := f.g.Take(m, nil, 1, 1); wire.CodeOf(err) != wire.CodeStorageUnavailable || len(got) != 0 {
		t.Fatalf("took %s, %v", text(got), err)
	}
	f.g.Nak(m, []uint64{1}, 0)
	got, err := f.g.Take(m, nil, 10, 10)
	if wire.CodeOf(err) != wire.CodeStorageUnavailable || text(got) != "[1*2]" {
		t.Fatalf("took %s, %v", text(got), err)
	}
	f.log.fail = nil
	woken = false
	f.wait(flushAgain)
	if !woken {
		t.Fatal("nobody was told")
	}
	f.takes(m, 10, "[2 3]")
}

func TestWritesAreJoined(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(10_000)
	m := f.join(&Member{})
	before := f.log.writes
	for range 10_000 {
		f.acks(m, f.take(m, 1)[0].Seq)
	}
	f.wait(time.Second)
	if n := f.log.writes - before; n > 200 {
		t.Fatalf("%d writes for 10000 records", n)
	}
	before = f.log.writes
	f.wait(time.Hour)
	if f.log.writes != before || f.g.Dirty() {
		t.Fatalf("%d writes for nothing", f.log.writes-before)
	}
}

func TestAFailedFlushIsTriedAgain(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(1)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.acks(m, 1)
	f.log.fail = errStorage
	if err := f.g.Flush(); err != errStorage {
		t.Fatalf("flush: %v", err)
	}
	f.wait(10 * time.Second)
	if f.g.Floor() != 1 || !f.g.Dirty() {
		t.Fatalf("floor %d", f.g.Floor())
	}
	f.log.fail = nil
	f.wait(flushAgain)
	if f.g.Floor() != 2 || f.g.Dirty() {
		t.Fatalf("floor %d", f.g.Floor())
	}
}

func TestTheFloorIsNotAheadOfWhatIsKept(t *testing.T) {
	for _, volatile := range []bool{false, true} {
		f := newFixture(t, Options{Volatile: volatile})
		f.fill(3)
		m := f.join(&Member{})
		f.takes(m, 2, "[1 2]")
		f.acks(m, 1)
		if got, want := f.g.Floor(), map[bool]uint64{false: 1, true: 2}[volatile]; got != want {
			t.Fatalf("volatile %v: floor %d, want %d", volatile, got, want)
		}
		f.floor(2)
	}
}

func TestAVolatileGroupWritesWhenAsked(t *testing.T) {
	f := newFixture(t, Options{Volatile: true})
	f.fill(1000)
	m := f.join(&Member{})
	before := f.log.writes
	for range 999 {
		f.acks(m, f.take(m, 1)[0].Seq)
	}
	f.wait(time.Hour)
	if f.log.writes != before {
		t.Fatalf("%d writes", f.log.writes-before)
	}
	if err := f.g.Close(); err != nil {
		t.Fatal(err)
	}
	f.open()
	f.takes(f.join(&Member{}), 10, "[1000]")
}

func TestANewEpochBeginsAnew(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(10)
	m := f.join(&Member{})
	f.take(m, 10)
	f.acks(m, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	f.g.Close()
	kept := f.log.Cursor("group/g")
	f.log = newTestLog(t, store.Limits{})
	f.fill(2)
	f.log.SetCursor("group/g", kept)
	f.open()
	f.fill(1)
	f.takes(f.join(&Member{}), 10, "[1* 2* 3]")
}

// TestABrokenStateIsSaid opens a group of whose state anything is left: it
// gives all that is kept once more, and says that.
func TestABrokenStateIsSaid(t *testing.T) {
	f := newFixture(t, Options{Exclusive: true})
	f.fill(10)
	m := f.join(&Member{})
	f.take(m, 5)
	f.acks(m, 1, 2, 3)
	f.log.Discard(3)
	f.g.Close()
	kept := f.log.Cursor("group/g")
	broken := [][]byte{append(bytes.Clone(kept), 0)}
	for n := range kept {
		broken = append(broken, kept[:n])
	}
	for _, state := range broken {
		f.log.SetCursor("group/g", state)
		f.open()
		if !f.g.Broken() || !f.g.Agrees(true) || f.g.Floor() != 3 {
			t.Fatalf("%d of %d bytes: broken %v, from %d on", len(state), len(kept), f.g.Broken(), f.g.Floor())
		}
		f.fill(1)
		_, next := f.log.Bounds()
		taken, err := f.g.Take(f.join(&Member{}), nil, 100, 1<<20)
		if err != nil || uint64(len(taken)) != next-3 {
			t.Fatalf("%d of %d bytes: %d are delivered, %v", len(state), len(kept), len(taken), err)
		}
		for _, d := range taken {
			if d.Redelivered != (d.Seq < next-1) {
				t.Fatalf("%d of %d bytes: %+v, and %d is new", len(state), len(kept), d, next-1)
			}
		}
		f.g.Close()
	}
	f.open()
	if f.g.Broken() {
		t.Error("it is still said to be broken")
	}
}

// TestABrokenStateDoesNotSayWhatTheGroupIs opens a group as it is kept, twice,
// before anybody asks for it.
func TestABrokenStateDoesNotSayWhatTheGroupIs(t *testing.T) {
	for _, exclusive := range []bool{true, false} {
		f := newFixture(t, Options{})
		f.fill(3)
		f.g.Close()
		f.log.SetCursor("group/g", []byte{})
		f.o.AsKept = true
		f.open()
		f.g.Close()
		f.open()
		if !f.g.Agrees(exclusive) || f.g.Agrees(!exclusive) || f.g.Exclusive() != exclusive {
			t.Errorf("exclusive %v: it is asked for, and the group is not", exclusive)
		}
		f.g.Close()
		f.open()
		if f.g.Exclusive() != exclusive || f.g.Agrees(!exclusive) {
			t.Errorf("exclusive %v: that is not kept", exclusive)
		}
	}
}

func TestTheStateStaysSmall(t *testing.T) {
	f := newFixture(t, Options{MaxPending: MaxPending})
	seq := uint64(math.MaxUint64 - 1)
	for i := range uint64(MaxPending) {
		f.g.newEntryLocked(seq - (MaxPending-i)*(1<<50)).deliveries = 1 << 20
	}
	if n := len(f.g.encodeLocked(nil, seq)); n > store.MaxCursorSize {
		t.Fatalf("the worst state has %d bytes", n)
	}
	f = newFixture(t, Options{})
	for i := range uint64(DefaultMaxPending) {
		f.g.newEntryLocked(1000 + i*100_000).deliveries = 5
	}
	if n := len(f.g.encodeLocked(nil, seq)); n > 8<<10 {
		t.Fatalf("a bad state has %d bytes", n)
	}
}

// TestParseState feeds it anything, and what was made of something good.
func TestParseState(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(20)
	m := f.join(&Member{})
	f.take(m, 15)
	f.acks(m, 2, 3, 7)
	good := f.g.encodeLocked(nil, 18)
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(good)
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "place")] = rapid.Byte().Draw(t, "byte")
		}
		b = b[:rapid.IntRange(0, len(b)).Draw(t, "length")]
		s, ok := parseState(b)
		if !ok {
			return
		}
		last := uint64(0)
		for _, e := range s.entries {
			if e.seq <= last || e.seq >= s.next {
				t.Fatalf("entry %d after %d, before %d", e.seq, last, s.next)
			}
			last = e.seq
		}
	})
}

func TestALogHoldsWhatAGroupNeeds(t *testing.T) {
	f := newFixture(t, Options{Volatile: true})
	f.log = newTestLog(t, store.Limits{Messages: 3, Hold: func() uint64 { return f.g.Floor() }})
	f.open()
	f.fill(3)
	var refused error
	full := func() bool {
		f.log.Append(store.Record{Name: "n", Data: []byte("4")}, func(r store.Receipt) {
			if refused = r.Err; refused == nil {
				f.g.Appended(r.Seq)
			}
		})
		return refused != nil
	}
	m := f.join(&Member{})
	f.takes(m, 3, "[1 2 3]")
	f.acks(m, 2)
	if !full() || wire.CodeOf(refused) != wire.CodeStorageFull {
		t.Fatalf("the oldest is needed, and append says %v", refused)
	}
	f.acks(m, 1)
	if full() {
		t.Fatal(refused)
	}
	f.takes(m, 3, "[4]")
}
