package group

import (
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
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

func TestCredit(t *testing.T) {
	f := newFixture(t, Options{MaxPending: 7})
	f.fill(20)
	m := f.join(&Member{Credit: 3})
	f.takes(m, 10, "[1 2 3]")
	f.takes(m, 10, "[]")
	f.acks(m, 2)
	f.takes(m, 10, "[4]")
	// What the group has out is bounded as well.
	second, third := f.join(&Member{Credit: 3}), f.join(&Member{Credit: 3})
	f.takes(second, 10, "[5 6]") // a share
	f.takes(second, 10, "[7]")
	f.takes(third, 10, "[8]")
	f.takes(third, 10, "[]")
	// A redelivery is out already.
	f.g.Nak(second, []uint64{5}, 0)
	f.takes(third, 10, "[5*2]")
	f.acks(m, 1)
	f.takes(third, 10, "[9]")
}

func TestCreditInBytes(t *testing.T) {
	f := newFixture(t, Options{})
	for _, size := range []int{500, 400, 2000, 10} {
		f.add(store.Record{Name: "n", Data: make([]byte, size)})
	}
	m := f.join(&Member{CreditBytes: 1000})
	f.takes(m, 10, "[1 2]") // the third is too long now
	f.acks(m, 1)
	f.takes(m, 10, "[]")
	f.acks(m, 2)
	f.takes(m, 10, "[3]")
	f.takes(m, 10, "[]")
	f.acks(m, 3)
	f.takes(m, 10, "[4]")
}

func TestTakeIsBoundedInBytes(t *testing.T) {
	f := newFixture(t, Options{})
	for range 6 {
		f.add(store.Record{Name: "n", Data: make([]byte, 100)})
	}
	m := f.join(&Member{})
	for _, want := range []struct {
		bytes int
		text  string
	}{{0, "[1]"}, {250, "[2 3]"}, {99, "[4]"}, {1000, "[5 6]"}} {
		got, err := f.g.Take(m, nil, 10, want.bytes)
		if err != nil || text(got) != want.text {
			t.Fatalf("took %s of %d bytes, want %s, %v", text(got), want.bytes, want.text, err)
		}
	}
}

func TestOtherGroupsAndFilters(t *testing.T) {
	f := newFixture(t, Options{})
	for _, group := range []string{"", "other", "g", "other", ""} {
		f.add(store.Record{Name: "n", Group: group})
	}
	m := f.join(&Member{Filter: func(r *store.Record) bool { return r.Seq != 5 }})
	f.takes2(m, "[1 3]")
	f.acks(m, 1)
	f.floor(3)
	f.acks(m, 3)
	f.floor(6)
	if st := f.g.Stats(); st.Filtered != 1 {
		t.Fatalf("stats %+v", st)
	}
}

// takes2 is takes for records without data.
func (f *fixture) takes2(m *Member, want string) {
	f.Helper()
	got, err := f.g.Take(m, nil, 100, 1<<20)
	if err != nil || text(got) != want {
		f.Fatalf("took %s, want %s, %v", text(got), want, err)
	}
}

func TestALongLogOfOthersIsPassedOver(t *testing.T) {
	f := newFixture(t, Options{})
	for range 3 * maxScan {
		f.add(store.Record{Name: "n", Group: "other"})
	}
	f.add(store.Record{Name: "n"})
	woken := 0
	m := f.join(&Member{Wake: func() { woken++ }})
	var got []Delivery
	for i := 1; len(got) == 0; i++ {
		if woken != i {
			t.Fatalf("woken %d times before take %d", woken, i)
		}
		got, _ = f.g.Take(m, nil, 1, 1)
	}
	if text(got) != "[12289]" {
		t.Fatalf("took %s", text(got))
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
	f.takes(m, 10, "[1*2]")
	f.acks(m, 1)
	f.wait(40 * time.Second)
	f.takes(m, 10, "[]")
	f.wait(10 * time.Second)
	f.takes(m, 10, "[2*2]")
	if st := f.g.Stats(); st.Expired != 2 {
		t.Fatalf("stats %+v", st)
	}
}

func TestDeadLetters(t *testing.T) {
	f := newFixture(t, Options{MaxDeliver: 3})
	f.add(store.Record{Name: "order", ID: "id", Time: 5, Data: []byte("1")})
	f.fill(1)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.g.Nak(m, []uint64{1}, 0)
	f.takes(m, 1, "[1*2]")
	f.wait(DefaultAckWait)
	f.takes(m, 1, "[1*3]")
	f.g.Leave(m)
	m = f.join(&Member{})
	f.takes(m, 10, "[2]")
	unknowns(t, f.g.Reject(m, []uint64{2}, "no such customer"))
	if len(f.dead) != 2 {
		t.Fatalf("%d dead letters", len(f.dead))
	}
	first, second := f.dead[0], f.dead[1]
	if d := first.Dead; d.Seq != 1 || d.Group != "g" || d.Epoch != f.log.Epoch() || d.Deliveries != 3 || !strings.Contains(d.Reason, "left") {
		t.Errorf("dead %+v", d)
	}
	if first.Name != "order" || string(first.Data) != "1" || first.ID == "id" || first.ID == "" || first.Seq != 0 {
		t.Errorf("dead letter %+v", first)
	}
	if d := second.Dead; d.Seq != 2 || d.Deliveries != 1 || d.Reason != "no such customer" {
		t.Errorf("dead %+v", d)
	}
	f.floor(3)
	if st := f.g.Stats(); st.Dead != 2 || st.Rejected != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestADeadLetterThatIsNotKeptIsTriedAgain(t *testing.T) {
	f := newFixture(t, Options{})
	f.deny = errStorage
	f.fill(1)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.g.Reject(m, []uint64{1}, "")
	f.wait(time.Hour)
	if st := f.g.Stats(); st.DeadRefused < 100 || st.DeadRefused > 200 || st.Dying != 1 || st.Dead != 0 {
		t.Fatalf("stats %+v", st)
	}
	f.floor(1)
	f.takes(m, 1, "[]")
	f.deny = nil
	f.wait(lastRetry)
	f.floor(2)
	if len(f.dead) != 1 {
		t.Fatalf("%d dead letters", len(f.dead))
	}
}

func TestWithoutAPlaceForDeadLettersTheyAreCounted(t *testing.T) {
	f := newFixture(t, Options{})
	f.o.Dead = nil
	f.open()
	f.fill(1)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.g.Reject(m, []uint64{1}, "")
	f.floor(2)
	if st := f.g.Stats(); st.Dead != 1 {
		t.Fatalf("stats %+v", st)
	}
}

func TestAsOftenAsItTakes(t *testing.T) {
	f := newFixture(t, Options{MaxDeliver: -1})
	f.fill(1)
	m := f.join(&Member{})
	for range 50 {
		if len(f.take(m, 1)) != 1 {
			t.Fatal("nothing came")
		}
		f.g.Nak(m, []uint64{1}, 0)
	}
	f.takes(m, 1, "[1*51]")
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

func TestGaps(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(10)
	m := f.join(&Member{})
	f.takes(m, 2, "[1 2]")
	f.log.losses = []store.Loss{{From: 1, To: 1}, {From: 4, To: 5}, {From: 9, To: 30}}
	f.g.Nak(m, []uint64{2}, 0)
	f.log.Discard(8)
	f.takes(m, 10, "[[2-2 expired] [3-3 expired] [4-5 data-loss] [6-7 expired] 8 9 10]")
	f.takes(m, 10, "[]")
	f.acks(m, 1, 8, 9, 10)
	f.floor(11)
	f.fill(2)
	f.log.Discard(13)
	f.takes(m, 10, "[[11-12 data-loss]]")
	f.floor(13)
	if st := f.g.Stats(); st.Missing != 8 {
		t.Fatalf("stats %+v", st)
	}
}

func TestADeadLetterOfWhatIsGone(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(2)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.log.Discard(2)
	f.g.Reject(m, []uint64{1}, "")
	f.takes(m, 10, "[[1-1 expired] 2]")
	f.takes(m, 10, "[]")
	if len(f.dead) != 0 {
		t.Fatal("there is one")
	}
}

func TestShares(t *testing.T) {
	f := newFixture(t, Options{})
	a, b, c := f.join(&Member{}), f.join(&Member{}), f.join(&Member{})
	f.fill(9)
	f.takes(a, 100, "[1 2 3]")
	f.takes(b, 100, "[4 5]")
	f.takes(c, 100, "[6 7]")
	f.g.Leave(a)
	f.takes(c, 100, "[1*2 2*2 3*2]")
	f.takes(b, 100, "[8]")
}

func TestDeadIDsFit(t *testing.T) {
	long := strings.Repeat("g", 200)
	a := deadID(&store.Dead{Seq: 1, Epoch: "e", Group: long})
	b := deadID(&store.Dead{Seq: 2, Epoch: "e", Group: long})
	if len(a) > store.MaxIDSize || a == b || a != deadID(&store.Dead{Seq: 1, Epoch: "e", Group: long}) {
		t.Fatalf("%q and %q", a, b)
	}
}
