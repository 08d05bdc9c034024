package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

var sharedFacts = []fact{
	{name: "one name is one log", check: func(t *testing.T, p *place) {
		a := p.log("a", store.Limits{Messages: 3})
		again := p.log("a", store.Limits{Messages: 100})
		a.fill(2)
		again.fill(3)
		a.holds(3, 5) // by the limits of the first time
		if a.Epoch() != again.Epoch() {
			t.Fatal("two epochs")
		}
	}},
	{name: "names do not touch", check: func(t *testing.T, p *place) {
		a, b := p.log("a", store.Limits{}), p.log("b", store.Limits{})
		a.fill(3)
		a.set("c", []byte("x"))
		a.keep(withID("x"))
		if b.keep(withID("x")) != 1 || b.Cursor("c") != nil {
			t.Fatal("they do")
		}
		if a.Epoch() == b.Epoch() {
			t.Fatal("one epoch")
		}
	}},
	{name: "names are any text", check: func(t *testing.T, p *place) {
		names := []string{
			"a", "A", "a.b", "a/b", "..", ".", "/", "a b", "ä", "日本", "con", "nul", "*", "a%2fb", "a:b", "-",
			strings.Repeat("x", 255), strings.Repeat("ü", 127), "\x01", `\`, "a_b",
		}
		for i, name := range names {
			p.log(name, store.Limits{}).fill(i + 1)
		}
		for i, name := range names {
			p.log(name, store.Limits{}).holds(1, uint64(i+1))
		}
	}},
	{name: "a name is not empty and not too long", check: func(t *testing.T, p *place) {
		p.log("a", store.Limits{})
		for _, name := range []string{"", strings.Repeat("x", 256)} {
			_, err := p.store.Log(name, store.Limits{})
			if _, ok := err.(*wire.Error); !ok {
				t.Fatalf("%d bytes: %v", len(name), err)
			}
		}
	}},
	{name: "everything at once", check: checkEverything},
	{name: "logs are opened at once", check: func(t *testing.T, p *place) {
		p.log("a", store.Limits{})
		concurrently(8, func(int) {
			for i := range 8 {
				l, err := p.store.Log(fmt.Sprint("log", i), store.Limits{})
				if err != nil {
					t.Error(err)
					continue
				}
				(&log{Log: l, t: t}).append(numbered(1))
			}
		})
		for i := range 8 {
			if n := p.log(fmt.Sprint("log", i), store.Limits{}).Stats().Messages; n != 8 {
				t.Errorf("log %d has %d records", i, n)
			}
		}
	}},
}

// checkEverything is for the race detector, and checks what readers see.
func checkEverything(t *testing.T, p *place) {
	l := p.log("a", store.Limits{Messages: 100})
	const appenders, each = 4, 250
	concurrently(appenders+4, func(g int) {
		for i := range each {
			switch g - appenders {
			case 0:
				checkRising(t, l, uint64(i))
			case 1:
				first, next := l.Bounds()
				if first > next || next-first > 100 {
					t.Errorf("bounds %d to %d", first, next)
				}
				l.Discard(first + 1)
			case 2:
				if err := l.SetCursor("c", []byte(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
				l.Cursor("c")
				l.Cursors()
			case 3:
				l.Stats()
				l.Losses()
				if err := l.Sync(); err != nil {
					t.Error(err)
				}
			default:
				if r := l.append(store.Record{Name: "n", ID: fmt.Sprint(g, i), Data: []byte(fmt.Sprint(g, i))}); r.Err != nil {
					t.Error(r.Err)
				}
			}
		}
	})
	if _, next := l.Bounds(); next != appenders*each+1 {
		t.Errorf("next is %d", next)
	}
}

func checkRising(t *testing.T, l *log, from uint64) {
	records, err := l.Read(nil, from, 50, 1<<20)
	if err != nil {
		t.Error(err)
	}
	for i, r := range records {
		if r.Seq < from || i > 0 && r.Seq <= records[i-1].Seq || r.ID != string(r.Data) {
			t.Errorf("record %d from %d: %+v", i, from, r)
		}
	}
}
