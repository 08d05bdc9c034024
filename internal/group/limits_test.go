package group

import (
	"bytes"
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
)

// TestWhatAMemberHolds has members take all that they are given.
func TestWhatAMemberHolds(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(2 * DefaultMaxPending)
	if n := len(f.take(f.join(&Member{}), 10_000)); n != DefaultCredit {
		t.Errorf("a member that asks for nothing holds %d", n)
	}
	greedy := f.join(&Member{Credit: 1 << 20})
	if n := len(f.take(greedy, 10_000)); n != DefaultMaxPending-DefaultCredit || greedy.Credit != DefaultMaxPending {
		t.Errorf("one that asks for a million holds %d, of a credit of %d", n, greedy.Credit)
	}
	if n := len(f.take(f.join(&Member{}), 10_000)); n != 0 {
		t.Errorf("a third one holds %d", n)
	}
}

// TestHowMuchAMemberHolds has messages of a megabyte, and one that is longer
// than all that a member may hold.
func TestHowMuchAMemberHolds(t *testing.T) {
	f := newFixture(t, Options{})
	for range 20 {
		f.add(store.Record{Name: "n", Data: bytes.Repeat([]byte("x"), 1<<20)})
	}
	m := f.join(&Member{})
	all := 0
	for {
		taken, err := f.g.Take(m, nil, 100, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if len(taken) == 0 {
			break
		}
		all += len(taken)
	}
	if all != DefaultCreditBytes>>20 {
		t.Errorf("it holds %d MiB", all)
	}
	f = newFixture(t, Options{})
	f.add(store.Record{Name: "n", Data: make([]byte, DefaultCreditBytes+1)})
	if taken := f.take(f.join(&Member{}), 1); len(taken) != 1 {
		t.Error("a message that is too long for anybody is given to nobody")
	}
}

func TestHowLongAMemberHolds(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(1)
	m := f.join(&Member{})
	f.takes(m, 1, "[1]")
	f.wait(DefaultAckWait - time.Millisecond)
	f.takes(m, 1, "[]")
	f.wait(time.Millisecond)
	f.takes(m, 1, "[1*2]")
	f.g.Nak(m, []uint64{1}, 10*MaxDelay)
	f.wait(MaxDelay - time.Millisecond)
	f.takes(m, 1, "[]")
	f.wait(time.Millisecond)
	f.takes(m, 1, "[1*3]")
}

func TestHowOftenAMessageComes(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(1)
	m := f.join(&Member{})
	for n := range DefaultMaxDeliver {
		if taken := f.take(m, 1); len(taken) != 1 || taken[0].Deliveries != n+1 || len(f.dead) != 0 {
			t.Fatalf("delivery %d: %s, and %d are dead", n+1, text(taken), len(f.dead))
		}
		unknowns(t, f.g.Nak(m, []uint64{1}, 0))
	}
	if f.takes(m, 1, "[]"); len(f.dead) != 1 {
		t.Errorf("%d are dead", len(f.dead))
	}
}
