package group

import (
	"testing"

	"github.com/ekkojs/ipc/store"
)

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
	f.takesAny(m, "[1 3]")
	f.acks(m, 1)
	f.floor(3)
	f.acks(m, 3)
	f.floor(6)
	if st := f.g.Stats(); st.Filtered != 1 {
		t.Fatalf("stats %+v", st)
	}
}

// takesAny is takes for records without data.
func (f *fixture) takesAny(m *Member, want string) {
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

// TestALimitIsWhatAMemberTakesInAll, and others take the rest.
func TestALimitIsWhatAMemberTakesInAll(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(6)
	m := f.join(&Member{Limit: 2, Credit: 1})
	f.takes(m, 10, "[1]")
	f.acks(m, 1)
	f.takes(m, 10, "[2]")
	f.acks(m, 2)
	f.takes(m, 10, "[]")
	second := f.join(&Member{Limit: 3})
	f.takes(second, 10, "[3 4 5]")
	f.g.Nak(second, []uint64{4}, 0)
	f.takes(second, 10, "[]")
	f.takes(f.join(&Member{}), 10, "[4*2 6]")
}
