package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

var cursorFacts = []fact{
	{name: "a cursor is what was set last", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		if l.Cursor("c") != nil || len(l.Cursors()) != 0 {
			t.Fatal("there is one already")
		}
		for _, state := range []string{"one", "a longer one", "2"} {
			l.set("c", []byte(state))
			if got := l.Cursor("c"); string(got) != state {
				t.Fatalf("%q, want %q", got, state)
			}
		}
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
	}},
	{name: "a cursor is a copy", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		state := []byte("before")
		l.set("c", state)
		copy(state, "after!")
		got := l.Cursor("c")
		copy(got, "other!")
		if got := l.Cursor("c"); string(got) != "before" {
			t.Fatalf("became %q", got)
		}
	}},
	{name: "nil removes a cursor", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		l.set("c", []byte("x"))
		l.set("d", []byte("y"))
		l.set("c", nil)
		l.set("never", nil)
		if l.Cursor("c") != nil || !slices.Equal(l.Cursors(), []string{"d"}) {
			t.Fatalf("there are %q", l.Cursors())
		}
	}},
	{name: "cursors are sorted", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		for _, name := range []string{"b", "group/z", "a", "group/a"} {
			l.set(name, []byte("x"))
		}
		if got := l.Cursors(); !slices.Equal(got, []string{"a", "b", "group/a", "group/z"}) {
			t.Fatalf("%q", got)
		}
	}},
	{name: "a cursor is bounded in size", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		largest := bytes.Repeat([]byte("x"), store.MaxCursorSize)
		l.set("c", largest)
		if err := l.SetCursor("c", append(largest, 'y')); err == nil {
			t.Fatal("no error")
		}
		if !bytes.Equal(l.Cursor("c"), largest) {
			t.Fatal("the last good state is gone")
		}
	}},
	{name: "cursors are bounded in number", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{})
		for i := range store.MaxCursors {
			l.set(fmt.Sprint(i), []byte("x"))
		}
		fails(t, l.SetCursor("more", []byte("x")), wire.CodeQuotaExceeded)
		l.set("7", []byte("y"))
		l.set("8", nil)
		l.set("more", []byte("x"))
	}},
	{name: "cursors do not depend on records", check: func(t *testing.T, p *place) {
		l := p.log("a", store.Limits{Messages: 2})
		l.set("c", []byte("x"))
		l.fill(50)
		l.Discard(1 << 40)
		if string(l.Cursor("c")) != "x" {
			t.Fatal("gone")
		}
	}},
}

func (l *log) set(name string, state []byte) {
	l.t.Helper()
	if err := l.SetCursor(name, state); err != nil {
		l.t.Fatalf("set cursor %q: %v", name, err)
	}
}
