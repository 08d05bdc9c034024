package group

import (
	"fmt"
	"testing"
	"time"
)

// wakers returns members that write down when they are woken.
func wakers(f *fixture, n int) (members []*Member, woken func() string) {
	var names []int
	for i := range n {
		members = append(members, f.join(&Member{Credit: 2, Wake: func() { names = append(names, i) }}))
	}
	return members, func() string {
		s := fmt.Sprint(names)
		names = nil
		return s
	}
}

func TestWakesRotate(t *testing.T) {
	f := newFixture(t, Options{})
	m, woken := wakers(f, 3)
	for i := range 6 {
		f.fill(1)
		if got, want := woken(), fmt.Sprint([]int{i % 3}); got != want {
			t.Fatalf("woken %s, want %s", got, want)
		}
		f.take(m[i%3], 10)
		f.acks(m[i%3], uint64(i+1))
	}
}

func TestOneWakeForOneRecord(t *testing.T) {
	f := newFixture(t, Options{})
	m, woken := wakers(f, 3)
	f.fill(2)
	if got := woken(); got != "[0 1]" {
		t.Fatalf("woken %s", got)
	}
	// A member that does not come holds up one record, and that not for long.
	f.takes(m[1], 10, "[1]")
	f.takes(m[1], 10, "[2]")
	f.fill(1)
	if got := woken(); got != "[2]" {
		t.Fatalf("woken %s", got)
	}
	f.acks(m[1], 1, 2)
	f.wait(nudgeAfter)
	if got := woken(); got != "[1]" {
		t.Fatalf("woken %s", got)
	}
	f.takes(m[1], 10, "[3]")
	f.wait(time.Second)
	if got := woken(); got != "[]" {
		t.Fatalf("woken %s", got)
	}
}

func TestAMemberWithoutCreditIsNotWoken(t *testing.T) {
	f := newFixture(t, Options{})
	m, woken := wakers(f, 1)
	f.fill(3)
	f.takes(m[0], 10, "[1 2]")
	woken()
	f.fill(1)
	f.wait(time.Second)
	if got := woken(); got != "[]" {
		t.Fatalf("woken %s", got)
	}
	f.acks(m[0], 1)
	if got := woken(); got != "[0]" {
		t.Fatalf("woken %s", got)
	}
}

func TestOthersAreWokenForWhatOneLeaves(t *testing.T) {
	f := newFixture(t, Options{})
	f.fill(2)
	m, woken := wakers(f, 1)
	f.takes(m[0], 10, "[1 2]")
	more, wokenMore := wakers(f, 1)
	woken()
	f.g.Leave(m[0])
	if got := wokenMore(); got != "[0]" {
		t.Fatalf("woken %s", got)
	}
	f.takes(more[0], 10, "[1*2 2*2]")
	f.wait(DefaultAckWait)
	if got := wokenMore(); got != "[0]" {
		t.Fatalf("woken %s", got)
	}
}

func TestAlarmComesWhenTheDeadlineIsSooner(t *testing.T) {
	alarms := 0
	f := newFixture(t, Options{Volatile: true, Alarm: func() { alarms++ }})
	expect := func(n int, in time.Duration) {
		t.Helper()
		if d := f.g.Deadline().Sub(f.clock); alarms != n || d != in {
			t.Fatalf("%d alarms for %v, want %d for %v", alarms, d, n, in)
		}
	}
	m := f.join(&Member{})
	f.fill(3)
	f.takes(m, 2, "[1 2]")
	expect(1, DefaultAckWait)
	f.takes(m, 2, "[3]")
	expect(1, DefaultAckWait)
	f.g.Nak(m, []uint64{2}, time.Minute)
	expect(1, DefaultAckWait)
	f.g.Nak(m, []uint64{3}, time.Second)
	expect(2, time.Second)
	f.wait(time.Second)
	if d := f.g.Deadline().Sub(f.clock); d != DefaultAckWait-time.Second {
		t.Fatalf("deadline in %v", d)
	}
}
