package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
)

var dedupeFacts = []fact{
	{name: "an ID is kept once", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.fill(1)
		l.keep(withID("x"))
		l.fill(1)
		if r := l.append(withID("x")); r.Err != nil || !r.Duplicate || r.Seq != 2 {
			t.Fatalf("again: %+v", r)
		}
		if seq := l.keep(withID("y")); seq != 4 {
			t.Fatalf("the next got %d", seq)
		}
		if st := l.Stats(); st.Duplicates != 1 || st.Appended != 4 {
			t.Fatalf("stats %+v", st)
		}
	}},
	{name: "records without an ID are never duplicates", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.keep(numbered(1))
		l.keep(numbered(1))
	}},
	{name: "done of a duplicate comes in its turn", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		order := make(chan string, 4)
		for _, name := range []string{"first", "again", "other"} {
			id := map[string]string{"first": "x", "again": "x", "other": "y"}[name]
			l.Append(withID(id), func(r store.Receipt) { order <- fmt.Sprint(name, r.Seq, r.Duplicate) })
		}
		for _, want := range []string{"first1 false", "again1 true", "other2 false"} {
			if got := <-order; got != want {
				t.Fatalf("%s, want %s", got, want)
			}
		}
	}},
	{name: "an ID outlives its record", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.keep(withID("x"))
		l.fill(3)
		l.Discard(4)
		if r := l.append(withID("x")); !r.Duplicate || r.Seq != 1 {
			t.Fatalf("again: %+v", r)
		}
	}},
	{name: "an ID is forgotten after the window", clock: true, check: func(t *testing.T, p *place) {
		checkWindow(t, p.log("default", store.Limits{}), store.DefaultDedupe)
		checkWindow(t, p.log("chosen", store.Limits{Dedupe: 10 * time.Second}), 10*time.Second)
	}},
	{name: "dedupe can be switched off", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{Dedupe: -1})
		l.keep(withID("x"))
		l.keep(withID("x"))
		if got := l.read(0); got[1].ID != "x" {
			t.Fatalf("the ID became %q", got[1].ID)
		}
	}},
	{name: "one of many that publish the same ID at once is kept", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		concurrently(8, func(int) {
			for i := range 50 {
				if r := l.append(withID(fmt.Sprint(i))); r.Err != nil || r.Seq == 0 {
					t.Errorf("append: %+v", r)
				}
			}
		})
		if st := l.Stats(); st.Messages != 50 || st.Duplicates != 7*50 {
			t.Fatalf("stats %+v", st)
		}
	}},
}

func checkWindow(t *testing.T, l *log, window time.Duration) {
	l.keep(withID("x"))
	later(window - time.Second)
	if r := l.append(withID("x")); !r.Duplicate {
		t.Fatalf("within the window: %+v", r)
	}
	// A duplicate does not begin the window anew.
	later(2 * time.Second)
	if r := l.append(withID("x")); r.Duplicate || r.Seq != 2 {
		t.Fatalf("after the window: %+v", r)
	}
}

func withID(id string) store.Record {
	return store.Record{Name: "n", ID: id, Data: []byte(`"data"`)}
}
