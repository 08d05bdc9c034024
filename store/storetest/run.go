package storetest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc/store"
)

// Open opens the store that is kept in dir, an empty directory the first
// time. A store that keeps nothing ignores it. The suite closes what it
// opens, and never has two stores open on one directory.
type Open func(t *testing.T, dir string) store.Store

// Options says what is expected of a store besides.
type Options struct {
	// Persistent: what is in a directory is there again when it is opened
	// again.
	Persistent bool
}

// fact is one thing that holds for every store.
type fact struct {
	name       string
	check      func(t *testing.T, p *place)
	persistent bool // holds for those that keep what they have
	clock      bool // moves the clock
}

// Run checks the facts, each in a place of its own.
func Run(t *testing.T, open Open, o Options) {
	for _, f := range facts() {
		if f.persistent && !o.Persistent {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			if f.clock {
				dir := t.TempDir() // outside: it is removed by the outer test
				synctest.Test(t, func(t *testing.T) { f.run(t, dir, open) })
				return
			}
			t.Parallel()
			f.run(t, t.TempDir(), open)
		})
	}
}

func (f *fact) run(t *testing.T, dir string, open Open) {
	p := &place{t: t, dir: dir, open: open}
	// Not by Cleanup: a bubble waits for the store's goroutines before that.
	defer p.close()
	f.check(t, p)
}

func facts() (all []fact) {
	for _, some := range [][]fact{
		appendFacts, readFacts, dedupeFacts, limitFacts, cursorFacts, sharedFacts, closeFacts, reopenFacts,
	} {
		all = append(all, some...)
	}
	return all
}

// later lets time pass in the bubble of a fact about time.
func later(d time.Duration) { time.Sleep(d) }
