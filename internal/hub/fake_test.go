package hub

import (
	"sync"

	"github.com/ekkojs/ipc/store"
)

// fakeLog is a log that can fail.
type fakeLog struct {
	store.Log

	mu     sync.Mutex
	gone   func(seq uint64) bool // records that cannot be read any more; nil: none
	losses []store.Loss
	fails  error         // of Read
	gate   chan struct{} // each Read takes one; nil: none needed
}

func (l *fakeLog) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *fakeLog) Read(dst []store.Record, from uint64, most, room int) ([]store.Record, error) {
	l.mu.Lock()
	gone, fails, gate := l.gone, l.fails, l.gate
	l.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if fails != nil {
		return dst, fails
	}
	for {
		before := len(dst)
		read, err := l.Log.Read(dst, from, most, room)
		if err != nil || gone == nil || len(read) == before {
			return read, err
		}
		from = read[len(read)-1].Seq + 1
		for _, rec := range read[before:] {
			if !gone(rec.Seq) {
				dst = append(dst, rec)
			}
		}
		if len(dst) > before {
			return dst, nil
		}
	}
}

func (l *fakeLog) Losses() []store.Loss {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.losses
}

// follower is a receiver of one separate subscription, and what it has seen.
type follower struct {
	out    *Outlet
	woken  chan struct{}
	wanted func(name string) bool
	next   uint64              // of the stream: what comes next, or later
	seen   map[uint64]string   // delivered
	lost   map[uint64]struct{} // said to be lost, or not published for it
	told   uint64              // lost, as the notices count
}

func newFollower(h *Hub, wanted func(string) bool, o *OutletOptions) *follower {
	f := &follower{wanted: wanted, seen: map[uint64]string{}, lost: map[uint64]struct{}{}}
	f.out, f.woken = newOutlet(h, o)
	return f
}

// take checks the order of what has come.
func (f *follower) take(t tb, items []item) {
	t.Helper()
	for _, it := range items {
		switch {
		case it.Tag == "":
			t.Fatalf("no subscription in %+v", it)
		case it.Seq == 0:
			for seq := it.Gap.From; seq <= it.Gap.To; seq++ {
				f.lost[seq] = struct{}{}
			}
			f.told += it.Gap.Lost()
		case it.Seq < f.next:
			t.Fatalf("%+v comes after %d", it, f.next-1)
		case !f.wanted(it.Channel[len("events."):]):
			t.Fatalf("nobody wanted %+v", it)
		default:
			f.next = it.Seq + 1
			f.seen[it.Seq] = it.Channel[len("events."):]
		}
	}
}

// check tells whether each event that was published was delivered or
// announced as lost. names are those of the events from 1 on.
func (f *follower) check(t tb, start uint64, names []string) {
	t.Helper()
	for i, name := range names {
		seq := uint64(i + 1)
		delivered, known := f.seen[seq]
		_, lost := f.lost[seq]
		switch {
		case seq < start:
			if known {
				t.Fatalf("event %d comes, and the start is %d", seq, start)
			}
		case known && delivered != name:
			t.Fatalf("event %d is %s instead of %s", seq, delivered, name)
		case !known && !lost && f.wanted(name):
			t.Fatalf("event %d, %s, is missing; the start is %d, and next is %d", seq, name, start, f.next)
		}
	}
}
