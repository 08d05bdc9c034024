package main

import (
	"fmt"
	"slices"
)

// An outcome is how a test ended. Of several for the same test, as it runs
// with and without the race detector, the greatest counts.
type outcome int

const (
	skipped outcome = iota + 1
	passed
	failed
)

// A tally counts tests, each once.
type tally struct {
	outcomes map[string]outcome
	order    []string
}

func newTally() *tally { return &tally{outcomes: make(map[string]outcome)} }

// add notes how one test of a package ended.
func (t *tally) add(pkg, test string, o outcome) {
	key := pkg + " " + test
	if _, ok := t.outcomes[key]; !ok {
		t.order = append(t.order, key)
	}
	t.outcomes[key] = max(t.outcomes[key], o)
}

// addMany notes n nameless tests that ended alike.
func (t *tally) addMany(pkg string, n int, o outcome) {
	for i := range n {
		t.add(pkg, fmt.Sprintf("%s %d", [...]string{"", "skipped", "passed", "failed"}[o], i+1), o)
	}
}

func (t *tally) count(o outcome) (n int) {
	for _, have := range t.outcomes {
		if have == o {
			n++
		}
	}
	return n
}

// failures names what failed, in the order in which it did.
func (t *tally) failures() []string {
	return slices.DeleteFunc(slices.Clone(t.order), func(key string) bool { return t.outcomes[key] != failed })
}

// String is the line that closes a run.
func (t *tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.count(passed), t.count(failed), t.count(skipped))
}
