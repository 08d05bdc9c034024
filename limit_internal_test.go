package ipc

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestASlotSurvivesThoseWhoAreJustGone leaves a limit at the moment between
// the claim of one who gives up and its removal from the queue: the slot must
// not be given to it, nor be lost.
func TestASlotSurvivesThoseWhoAreJustGone(t *testing.T) {
	l := &limit{most: 1, queue: 10, held: &storage{most: 1 << 20}}
	if !l.enter() || l.enter() {
		t.Fatal("a limit of one has one slot")
	}
	gone := &ticket{listed: true}
	l.queued.first, l.queued.last = gone, gone
	l.state.Add(oneWaiting)
	if l.enter() {
		t.Fatal("overtook one who waits")
	}
	l.leave()
	if l.running() != 0 || l.waiting() != 0 || l.queued.first != nil {
		t.Errorf("%d run and %d wait", l.running(), l.waiting())
	}
	l.remove(gone) // as it goes on to do
	if !l.enter() || l.waiting() != 0 {
		t.Error("the slot was lost")
	}
}

// TestPace holds the estimate to a queue that moves evenly, and to one that
// has changed its pace.
func TestPace(t *testing.T) {
	var now time.Time
	p := pace{allow: DefaultQueueDelay}
	move := func(departures int, gap time.Duration) {
		now = now.Add(time.Hour) // nobody waited meanwhile
		p.begins(now)
		for i := range departures {
			now = now.Add(gap)
			p.served(now, departures-i-1)
		}
		p.ends()
	}
	move(100, 10*time.Millisecond)
	if got := p.expected(9, 0); got != 100*time.Millisecond {
		t.Errorf("the tenth waits %v for departures each 10 ms", got)
	}
	if got := p.expected(9, time.Second); got != time.Second {
		t.Errorf("%v, though the first has waited for a second", got)
	}
	for range 20 {
		move(1, time.Millisecond)
	}
	if got := p.expected(9, 0); got > 12*time.Millisecond {
		t.Errorf("the tenth waits %v, though by now one departs each millisecond", got)
	}
}

// TestShedding walks through an overload: a burst is let in, a queue that
// stands is not.
func TestShedding(t *testing.T) {
	var now time.Time
	now = now.Add(time.Hour)
	p := pace{allow: 100 * time.Millisecond, gap: time.Millisecond}
	const most, long, short = 2, 200 * time.Millisecond, 40 * time.Millisecond
	for _, step := range []struct {
		after    time.Duration
		expected time.Duration
		refused  bool
	}{
		{0, long, false}, // it begins
		{overloadInterval - 1, long, false},
		{1, long, true}, // and has lasted an interval
		{0, 90 * time.Millisecond, false},
		{time.Second, long, true}, // one refused more or less does not end it
		{0, short, false},         // this does
		{0, long, false},
		{overloadInterval, long, true},
	} {
		now = now.Add(step.after)
		if got := p.tooMuch(now, step.expected, most); got != step.refused {
			t.Errorf("after %v, with %v to wait: refused %v", now.Sub(time.Time{}.Add(time.Hour)), step.expected, got)
		}
	}
	p.gap = 100 * time.Millisecond // a method that takes its time: 200 ms a run
	if p.ends(); p.tooMuch(now, 800*time.Millisecond, most) || !p.above.IsZero() {
		t.Error("four runs are too much to wait for")
	}
	p.allow = -1
	if p.tooMuch(now, time.Hour, most) {
		t.Error("refused, though nothing is to be")
	}
}

func TestRetryAfterIsBounded(t *testing.T) {
	for expected, want := range map[time.Duration]time.Duration{
		0: unknownRetryAfter, 1: time.Millisecond, time.Second: time.Second, time.Hour: 5 * time.Second,
	} {
		if got := retryAfter(expected); got != want {
			t.Errorf("%v: %v, want %v", expected, got, want)
		}
	}
}

// TestKeysBelongToUsers has one key used by several callers.
func TestKeysBelongToUsers(t *testing.T) {
	seen := map[onceKey]bool{}
	for _, c := range []Caller{{}, {Known: true}, {Known: true, UID: 1000}, {Known: true, UID: 1<<32 - 1}} {
		seen[onceKeyOf(c, []byte("k"))] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d different users of 4", len(seen))
	}
}

// TestABurstPassesForAMoment takes more slots than there are, which only a
// moment and only so many can, and waits for no longer than it takes to give
// them back.
func TestABurstPassesForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limit{most: startsPerProcessor, queue: 10, held: &storage{most: 1 << 20}, made: time.Now()}
		time.Sleep(time.Hour)
		for range startsPerProcessor {
			if !l.enter() {
				t.Fatal("refused a free slot")
			}
		}
		if l.enter() || !l.burst() {
			t.Error("a burst has slots of its own")
		}
		time.Sleep(burstFor + 1)
		if l.burst() {
			t.Error("a burst that lasts is none")
		}
		l.leave()
		l.leave()
		if !l.enter() {
			t.Error("no slot, though one has left")
		}
		n := startsPerProcessor
		for l.burst() { // it was not crowded meanwhile
			n++
		}
		if n != burstPerProcessor {
			t.Errorf("a burst had %d slots, want %d", n, burstPerProcessor)
		}
		waits := &ticket{listed: true}
		waits.turn.Store(turnWaiting)
		l.queued.first, l.queued.last = waits, waits
		l.state.Add(oneWaiting)
		if l.burst() {
			t.Error("a burst overtook one who waits")
		}
		for range burstPerProcessor - startsPerProcessor {
			l.leave()
		}
		if l.running() != startsPerProcessor || l.waiting() != 1 {
			t.Errorf("%d run and %d wait, want %d and 1", l.running(), l.waiting(), startsPerProcessor)
		}
		if next := l.next(); next != waits {
			t.Error("who waits does not come next")
		}
	})
}
