package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A step is one thing that can be checked by itself.
type step struct {
	name  string
	about string
	run   func(context.Context, *runner) error
	// lint marks a step that reads the sources and runs none of them.
	lint bool
	// tests marks a step that counts tests; another counts as one check.
	tests bool
	// needed marks a step without which the following ones mean nothing.
	needed bool
	// within bounds the step; zero means ten minutes.
	within time.Duration
	apart  bool // it takes long, and more than there is to install: it runs when it is named
}

func (s step) limit() time.Duration {
	if s.within == 0 {
		return 10 * time.Minute
	}
	return s.within
}

// steps in the order in which they run: what is quick and often wrong first.
var steps []step

// The table is filled here because the steps, through choose, refer to it.
func init() {
	steps = []step{
		{name: "setup", about: "install what is missing", run: setUp, needed: true},
		{name: "npm", about: "install the npm packages", run: npmPackages, needed: true},
		{name: "gofmt", about: "every file as gofmt writes it", run: gofmt, lint: true},
		{name: "house", about: "exported names commented, no sleeping tests", run: house, lint: true},
		{name: "vet", about: "go vet of all modules", run: vet, lint: true},
		{name: "staticcheck", about: "staticcheck of all modules", run: staticcheck, lint: true},
		{name: "cross", about: "go vet and go build for the other systems", run: cross, lint: true, within: 20 * time.Minute},
		{name: "test", about: "tests, examples and snippets of the docs", run: test, tests: true, within: 20 * time.Minute},
		{name: "race", about: "tests under the race detector", run: race, tests: true, within: 20 * time.Minute},
		{name: "windows", about: "tests as Windows programs, under Wine; only if asked for", run: windows, tests: true, apart: true, within: 20 * time.Minute},
		{name: "transports", about: "which facts are true of which transport; only if asked for", run: transports, tests: true, apart: true},
		{name: "modules", about: "tests of bench and of these tools", run: testModules, tests: true},
		{name: "cost", about: "allocations and instructions of a call, against their limits", run: cost},
		{name: "js", about: "tests of the npm packages, and in other runtimes", run: npmTests, tests: true},
		{name: "examples", about: "programs under examples/, built and run", run: examples, tests: true},
		{name: "benchmarks", about: "every Benchmark once", run: benchmarks},
		{name: "fuzz", about: "every fuzz target for a moment", run: fuzz, tests: true, within: 24 * time.Hour},
	}
}

// choose returns the steps of the given names, in the order of the table; all
// but those apart if there are no names.
func choose(names []string) ([]step, error) {
	for _, name := range names {
		if name != "lint" && !slices.ContainsFunc(steps, func(s step) bool { return s.name == name }) {
			return nil, fmt.Errorf("no step is called %q; check -list shows them", name)
		}
	}
	var chosen []step
	for _, s := range steps {
		if len(names) == 0 && !s.apart || slices.Contains(names, s.name) || s.lint && slices.Contains(names, "lint") {
			chosen = append(chosen, s)
		}
	}
	return chosen, nil
}
