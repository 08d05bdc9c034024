package storetest

import (
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
)

var reopenFacts = []fact{
	{name: "records are there again", persistent: true, check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.fill(100)
		epoch := l.Epoch()
		for i := range uint64(3) {
			p.close()
			l = p.log("a", store.Limits{})
			l.holds(1, 100+i)
			if l.Epoch() != epoch {
				t.Fatalf("epoch %q became %q", epoch, l.Epoch())
			}
			if len(l.Losses()) != 0 {
				t.Fatalf("losses %+v", l.Losses())
			}
			l.fill(1)
		}
	}},
	{name: "a record comes back whole after that", persistent: true, check: func(t *testing.T, p *place) {
		want := store.Record{
			Time: 1234567890123, ID: "id", Name: "order.paid", Data: []byte(`{"a":1}`), Group: "billing",
			Dead: &store.Dead{Seq: 7, Epoch: "e", Group: "g", Deliveries: 5, Reason: "timed out"},
		}
		want.Seq = p.log("a", store.Limits{}).keep(want)
		p.close()
		sameRecord(t, p.log("a", store.Limits{}).read(0)[0], want)
	}},
	{name: "what was removed stays removed", persistent: true, check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.fill(50)
		l.Discard(31)
		p.close()
		l = p.log("a", store.Limits{})
		l.holds(31, 50)
		l.Discard(1 << 40)
		p.close()
		l = p.log("a", store.Limits{})
		if first, next := l.Bounds(); first != 51 || next != 51 {
			t.Fatalf("bounds %d to %d", first, next)
		}
		l.fill(1)
		l.holds(51, 51)
	}},
	{name: "limits hold for what was there", persistent: true, check: func(t *testing.T, p *place) {
		p.log("a", store.Limits{}).fill(50)
		p.close()
		l := p.log("a", store.Limits{Messages: 10})
		l.fill(1)
		l.holds(42, 51)
	}},
	{name: "cursors are there again", persistent: true, check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.set("c", []byte("old"))
		l.set("c", []byte("state"))
		l.set("gone", []byte("x"))
		l.set("gone", nil)
		p.close()
		l = p.log("a", store.Limits{})
		if got := l.Cursor("c"); string(got) != "state" || len(l.Cursors()) != 1 {
			t.Fatalf("%q of %q", got, l.Cursors())
		}
	}},
	{name: "IDs are remembered", persistent: true, check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.fill(1)
		l.keep(withID("x"))
		p.close()
		l = p.log("a", store.Limits{})
		if r := l.append(withID("x")); !r.Duplicate || r.Seq != 2 {
			t.Fatalf("again: %+v", r)
		}
	}},
	{name: "IDs are forgotten in time", persistent: true, clock: true, check: func(t *testing.T, p *place) {
		p.log("a", store.Limits{}).keep(withID("x"))
		p.close()
		later(store.DefaultDedupe + time.Second)
		if r := p.log("a", store.Limits{}).append(withID("x")); r.Duplicate || r.Seq != 2 {
			t.Fatalf("again: %+v", r)
		}
	}},
	{name: "logs keep apart", persistent: true, check: func(t *testing.T, p *place) {
		names := []string{"a", "A", "..", "a/b", "ä"}
		for i, name := range names {
			p.log(name, store.Limits{}).fill(i + 1)
		}
		p.close()
		for i, name := range names {
			p.log(name, store.Limits{}).holds(1, uint64(i+1))
		}
	}},
}
