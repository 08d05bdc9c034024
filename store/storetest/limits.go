package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

var limitFacts = []fact{
	{name: "messages are bounded", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{Messages: 10})
		l.fill(10)
		l.holds(1, 10)
		l.fill(25)
		l.holds(26, 35)
		if st := l.Stats(); st.Removed != 25 || st.Refused != 0 {
			t.Fatalf("stats %+v", st)
		}
	}},
	{name: "one message may be the bound", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{Messages: 1})
		l.fill(3)
		l.holds(3, 3)
	}},
	{name: "bytes are bounded", check: func(t *testing.T, p *place) {
		const bound, size = 1 << 20, 10_000
		l := p.log("a", store.Limits{Bytes: bound})
		for range 300 {
			l.keep(store.Record{Name: "n", Data: make([]byte, size)})
			if st := l.Stats(); st.Bytes > bound || st.Bytes < st.Messages*size {
				t.Fatalf("stats %+v", st)
			}
		}
		if st := l.Stats(); st.Messages < bound/size/2 {
			t.Fatalf("only %d messages are kept", st.Messages)
		}
	}},
	{name: "age is bounded", clock: true, check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{Age: time.Minute})
		l.fill(3)
		later(40 * time.Second)
		l.fill(2)
		l.holds(1, 5)
		later(40 * time.Second)
		l.holds(4, 5)
		if seq := l.At(time.UnixMilli(0)); seq != 4 {
			t.Fatalf("the oldest is %d", seq)
		}
		later(40 * time.Second)
		l.fill(1)
		l.holds(6, 6)
	}},
	{name: "age spares nothing", clock: true, check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{Age: time.Minute, Hold: func() uint64 { return 1 }})
		l.fill(3)
		later(2 * time.Minute)
		l.fill(1)
		l.holds(4, 4)
	}},
	{name: "what is needed makes no room", check: func(t *testing.T, p *place) {
		var needed atomic.Uint64
		needed.Store(4)
		l := p.log("a", store.Limits{Messages: 5, Hold: needed.Load})
		l.fill(8) // 1 to 3 made room
		l.holds(4, 8)
		err := l.append(numbered(9)).Err
		fails(t, err, wire.CodeStorageFull)
		if d := err.(*wire.Error).Details; d.Executed != wire.ExecutedNo {
			t.Fatalf("details %+v", d)
		}
		l.holds(4, 8)
		needed.Store(6)
		l.fill(2)
		l.holds(6, 10)
		fails(t, l.append(numbered(11)).Err, wire.CodeStorageFull)
		if st := l.Stats(); st.Refused != 2 || st.Appended != 10 {
			t.Fatalf("stats %+v", st)
		}
	}},
	{name: "bytes that are needed make no room", check: func(t *testing.T, p *place) {
		var needed atomic.Uint64
		needed.Store(1)
		l := p.log("a", store.Limits{Bytes: 64 << 10, Hold: needed.Load})
		kept := uint64(0)
		for ; ; kept++ {
			r := l.append(store.Record{Name: "n", Data: make([]byte, 10_000)})
			if r.Err != nil {
				fails(t, r.Err, wire.CodeStorageFull)
				break
			}
		}
		if kept < 4 || kept > 6 {
			t.Fatalf("%d records of 10000 bytes in 64 KiB", kept)
		}
		needed.Store(kept + 1)
		if seq := l.keep(store.Record{Name: "n", Data: make([]byte, 10_000)}); seq != kept+1 {
			t.Fatalf("sequence number %d, want %d", seq, kept+1)
		}
	}},
	{name: "a refused ID is not remembered", check: func(t *testing.T, p *place) {
		var needed atomic.Uint64
		needed.Store(1)
		l := p.log("a", store.Limits{Messages: 1, Hold: needed.Load})
		l.fill(1)
		fails(t, l.append(withID("x")).Err, wire.CodeStorageFull)
		needed.Store(2)
		if r := l.append(withID("x")); r.Err != nil || r.Duplicate || r.Seq != 2 {
			t.Fatalf("again: %+v", r)
		}
	}},
	{name: "a duplicate needs no room", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{Messages: 1, Hold: func() uint64 { return 1 }})
		l.keep(withID("x"))
		if r := l.append(withID("x")); r.Err != nil || !r.Duplicate {
			t.Fatalf("again: %+v", r)
		}
	}},
	{name: "discard makes room", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{Messages: 3, Hold: func() uint64 { return 1 }})
		l.fill(3)
		l.Discard(3)
		l.fill(2)
		l.holds(3, 5)
	}},
}
