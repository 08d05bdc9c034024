package group

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc/wire"
)

func TestRecordsComeOnceAndInOrder(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(3)
	m := f.join(&Member{})
	f.takes(m, 2, "[1 2]")
	f.takes(m, 10, "[3]")
	f.takes(m, 10, "[]")
	f.fill(1)
	f.takes(m, 10, "[4]")
	f.acks(m, 1, 3)
	f.floor(2)
	f.acks(m, 2)
	f.floor(4)
	f.acks(m, 4)
	f.floor(5)
	if st := f.g.Stats(); st.Delivered != 4 || st.Acked != 4 || st.Pending != 0 || st.Waiting != 0 || st.Members != 1 {
		t.Fatalf("stats %+v", st)
	}
}

func TestWhereANewGroupStarts(t *testing.T) {
	for start, want := range map[uint64]string{0: "[3 4 5 6]", 1: "[3 4 5 6]", 5: "[5 6]", 6: "[6]", 100: "[6]"} {
		f := newFixture(t, Options{})
		f.fill(5)
		f.log.Discard(3)
		Remove(f.log, "g")
		f.o.Start = start
		f.open()
		f.fill(1)
		f.takes(f.join(&Member{}), 10, want)
	}
}

func TestAnswersToWhatIsNotHeldAreUnknown(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(3)
	m, other := f.join(&Member{}), f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.takes(other, 1, "[2]")
	unknowns(t, f.g.Ack(m, []uint64{0, 1, 2, 3, 1, 99}), 0, 2, 3, 1, 99)
	unknowns(t, f.g.Nak(m, []uint64{1, 2}, 0), 1, 2)
	unknowns(t, f.g.Reject(m, []uint64{2, 3}, ""), 2, 3)
	f.g.Leave(other)
	unknowns(t, f.g.Ack(other, []uint64{2}), 2)
	unknowns(t, f.g.Ack(&Member{}, []uint64{2}), 2)
	f.takes(m, 1, "[2*2]")
	f.wait(DefaultAckWait)
	unknowns(t, f.g.Ack(m, []uint64{2}), 2)
	if len(f.dead) != 0 {
		t.Fatal("a record was given up")
	}
}

func TestRedelivery(t *testing.T) {
	for name, release := range map[string]func(f *fixture, m *Member){
		"given back": func(f *fixture, m *Member) { unknowns(f, f.g.Nak(m, []uint64{3, 1, 2}, 0)) },
		"left":       func(f *fixture, m *Member) { f.g.Leave(m) },
		"too late":   func(f *fixture, m *Member) { f.wait(DefaultAckWait) },
		"later":      func(f *fixture, m *Member) { f.g.Nak(m, []uint64{1, 2, 3}, time.Minute); f.wait(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, Options{})
			f.fill(4)
			m, other := f.join(&Member{AckWait: time.Hour}), f.join(&Member{})
			m.AckWait = DefaultAckWait
			f.takes(m, 2, "[1 2]")
			f.takes(m, 1, "[3]")
			release(f, m)
			f.g.Leave(m)
			f.takes(other, 2, "[1*2 2*2]")
			f.takes(other, 10, "[3*2 4]")
			f.acks(other, 1, 2, 3, 4)
			f.floor(5)
			if st := f.g.Stats(); st.Redelivered != 3 || st.Delivered != 7 {
				t.Fatalf("stats %+v", st)
			}
		})
	}
}

func TestADelayIsWaited(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(2)
	m := f.join(&Member{})
	f.takes(m, 2, "[1 2]")
	f.g.Nak(m, []uint64{1}, time.Minute)
	f.acks(m, 2)
	f.wait(time.Minute - 1)
	f.takes(m, 2, "[]")
	f.wait(1)
	f.takes(m, 2, "[1*2]")
}

func TestAckWait(t *testing.T) {
	f := newFixture(t, Options{AckWait: 10 * time.Second})
	f.fill(2)
	m, patient := f.join(&Member{}), f.join(&Member{AckWait: time.Minute})
	f.takes(m, 1, "[1]")
	f.takes(patient, 1, "[2]")
	f.wait(10*time.Second - 1)
	f.takes(m, 10, "[]")
	f.wait(1)
	f.takes(patient, 10, "[1*2]")
	f.acks(patient, 1)
	f.wait(50*time.Second - 1)
	f.takes(m, 10, "[]")
	f.wait(1)
	f.takes(m, 10, "[2*2]") // nobody has said more than the other
	if st := f.g.Stats(); st.Expired != 2 {
		t.Fatalf("stats %+v", st)
	}
}

func TestAnExclusiveGroupHasItsNewestMember(t *testing.T) {
	f := newFixture(t, Options{Exclusive: true})
	f.fill(3)
	first := f.join(&Member{})
	f.takes(first, 2, "[1 2]")
	second := &Member{}
	if out := f.g.Join(second); out != first {
		t.Fatalf("thrown out: %v", out)
	}
	_, err := f.g.Take(first, nil, 1, 1)
	if wire.CodeOf(err) != wire.CodeConflict {
		t.Fatalf("take: %v", err)
	}
	unknowns(t, f.g.Ack(first, []uint64{1}), 1)
	if f.g.Leave(first) {
		t.Fatal("left twice")
	}
	f.takes(second, 10, "[1*2 2*2 3]")
}

func TestAGroupIsOpenedInTheWayItWasMade(t *testing.T) {
	f := newFixture(t, Options{})
	f.o.Exclusive = true
	if _, err := Open(f.log, "g", f.o); wire.CodeOf(err) != wire.CodeConflict {
		t.Fatalf("open: %v", err)
	}
	if _, err := Open(f.log, "h", f.o); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(Names(f.log), " "); got != "g h" {
		t.Fatalf("groups %q", got)
	}
	Remove(f.log, "g")
	f.open()
}

func TestAClosedGroupHasNoMembers(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(2)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	for range 2 {
		if err := f.g.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.g.Take(m, nil, 1, 1); wire.CodeOf(err) != wire.CodeConflict {
			t.Fatalf("take: %v", err)
		}
		unknowns(t, f.g.Ack(m, []uint64{1}), 1)
		f.g.Join(m)
		f.g.Appended(3)
		f.g.Expire(f.clock)
		if !f.g.Deadline().IsZero() {
			t.Fatal("something is due")
		}
	}
	f.open()
	f.takes(f.join(&Member{}), 10, "[1*2 2]")
}

// TestAMemberThatStandsStill lets everything expire: unless there is nobody
// else, it gets one new record at a time until it says something, and none
// that was delivered before.
func TestAMemberThatStandsStill(t *testing.T) {
	f := newFixture(t, Options{AckWait: 10 * time.Second})
	woken := 0
	still := f.join(&Member{Wake: func() { woken++ }})
	f.fill(4)
	f.takes(still, 4, "[1 2 3 4]")
	f.wait(10 * time.Second)
	f.takes(still, 2, "[1*2 2*2]") // who else?
	other := f.join(&Member{Credit: 3})
	f.takes(still, 4, "[]")
	f.takes(other, 4, "[3*2 4*2]")
	f.acks(other, 3, 4)
	f.wait(10 * time.Second)
	f.takes(other, 4, "[1*3 2*3]")
	f.fill(4)
	f.takes(still, 4, "[5]")
	f.takes(still, 4, "[]")
	woken = 0
	if unknown := f.g.Ack(still, []uint64{1}); fmt.Sprint(unknown) != "[1]" || woken == 0 {
		t.Errorf("a late word: %v, woken %d times", unknown, woken)
	}
	f.takes(still, 1, "[6]")
	f.acks(other, 1, 2)
	f.wait(10 * time.Second)
	f.takes(other, 2, "[5*2 6*2]")
	f.takes(still, 4, "[7]")
	f.g.Leave(other)
	f.takes(still, 4, "[5*3 6*3 8]")
	f.wait(10 * time.Second)
	late := f.join(&Member{})
	f.takes(still, 1, "[]")
	f.takes(late, 4, "[5*4 6*4 7*2 8*2]")
	if len(f.dead) != 0 {
		t.Errorf("dead are %+v", f.dead)
	}
}
