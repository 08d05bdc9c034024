package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
)

var readFacts = []fact{
	{name: "read is bounded in messages", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.fill(100)
		for from := uint64(1); from <= 100; from += 7 {
			got, err := l.Read(nil, from, 7, 1<<20)
			if err != nil || len(got) != int(min(7, 101-from)) || got[0].Seq != from {
				t.Fatalf("%d records from %d, %v", len(got), from, err)
			}
		}
		if got, err := l.Read(nil, 1, 0, 1<<20); len(got) != 0 || err != nil {
			t.Fatalf("%d records of at most 0, %v", len(got), err)
		}
	}},
	{name: "read is bounded in bytes, but gives one", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		for range 10 {
			l.keep(store.Record{Name: "n", Data: make([]byte, 1000)})
		}
		for maxBytes, want := range map[int][2]int{0: {1, 1}, 500: {1, 1}, 3500: {2, 4}, 1 << 20: {10, 10}} {
			got, err := l.Read(nil, 1, 100, maxBytes)
			if err != nil || len(got) < want[0] || len(got) > want[1] {
				t.Errorf("%d records of 1000 bytes in %d, %v", len(got), maxBytes, err)
			}
		}
	}},
	{name: "read appends", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.fill(2)
		got, err := l.Read([]store.Record{{Name: "before"}}, 2, 10, 10)
		if err != nil || len(got) != 2 || got[0].Name != "before" || got[1].Seq != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
	}},
	{name: "read from the end is empty", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.fill(3)
		for _, from := range []uint64{4, 5, 1 << 63} {
			if got, err := l.Read(nil, from, 10, 10); len(got) != 0 || err != nil {
				t.Fatalf("%d records from %d, %v", len(got), from, err)
			}
		}
	}},
	{name: "discard removes what is older", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.fill(100)
		l.Discard(0)
		l.holds(1, 100)
		l.Discard(41)
		l.holds(41, 100)
		l.Discard(7)
		l.holds(41, 100)
		if got := l.read(60); len(got) != 41 || got[0].Seq != 60 {
			t.Fatalf("%d records from 60", len(got))
		}
		if n := l.Stats().Removed; n != 40 {
			t.Fatalf("%d removed", n)
		}
	}},
	{name: "discard of everything keeps the numbers", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.fill(10)
		l.Discard(1 << 40)
		if first, next := l.Bounds(); first != 11 || next != 11 || len(l.read(0)) != 0 {
			t.Fatalf("bounds %d to %d", first, next)
		}
		l.fill(3)
		l.holds(11, 13)
	}},
	{name: "bytes may be kept", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{Messages: 5})
		var kept []store.Record
		for range 40 {
			l.fill(5)
			kept = append(kept, l.read(0)...)
		}
		l.Discard(1 << 40)
		l.fill(50)
		for _, r := range kept {
			if string(r.Data) != fmt.Sprint(r.Seq) || r.Name != "n" {
				t.Fatalf("record %d became %q, %q", r.Seq, r.Name, r.Data)
			}
		}
	}},
	{name: "at finds the first record of a time", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		if seq := l.At(time.UnixMilli(5)); seq != 1 {
			t.Fatalf("at 5 in an empty log: %d", seq)
		}
		for _, ms := range []int64{10, 20, 20, 30} {
			l.keep(store.Record{Name: "n", Time: ms})
		}
		checkAt(t, l, map[int64]uint64{0: 1, 10: 1, 11: 2, 20: 2, 21: 4, 30: 4, 31: 5})
		if seq := l.At(time.UnixMilli(20).Add(time.Microsecond)); seq != 4 {
			t.Errorf("just after 20: %d", seq)
		}
		l.Discard(3)
		checkAt(t, l, map[int64]uint64{0: 3, 20: 3, 21: 4, 31: 5})
	}},
	{name: "at stands clocks that go back", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		for _, ms := range []int64{10, 40, 20, 30} {
			l.keep(store.Record{Name: "n", Time: ms})
		}
		checkAt(t, l, map[int64]uint64{5: 1, 15: 2, 25: 2, 35: 2, 41: 5})
	}},
}

func checkAt(t *testing.T, l *log, want map[int64]uint64) {
	t.Helper()
	for ms, seq := range want {
		if got := l.At(time.UnixMilli(ms)); got != seq {
			t.Errorf("at %d: %d, want %d", ms, got, seq)
		}
	}
}
