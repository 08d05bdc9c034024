package main

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// factPrefix begins the name of each test that holds a transport to the facts
// of package transporttest; the rest is the transport's name, and each fact is
// a subtest.
const factPrefix = "TestFacts"

// transports holds every transport to the facts, and shows which of them is
// true of which. Windows pipes are among them where Wine is installed.
func transports(ctx context.Context, r *runner) error {
	facts := []string{"-run", "^" + factPrefix, "./transport"}
	err := r.showFacts("on "+runtime.GOOS, func() error { return r.goTest(ctx, inRoot(facts...)) })
	switch _, missing := exec.LookPath("wine"); {
	case err != nil:
		return err
	case missing != nil || !wineRuns():
		fmt.Fprintln(r.out, "Windows pipes: left out, as there is no Wine here; make test-windows installs it")
		return nil
	}
	w, err := startWine(ctx)
	if err != nil {
		return err
	}
	defer w.end()
	return w.goTest(ctx, r, facts...)
}

// showFacts runs tests, and shows what those of them say that are facts.
func (r *runner) showFacts(where string, run func() error) error {
	r.facts = new(factTable)
	err := run()
	fmt.Fprint(r.out, r.facts.text(where))
	r.facts = nil
	return err
}

// A factTable says of each transport which facts are true of it: what go test
// has told, and no list besides.
type factTable struct {
	transports []string // in the order in which they were told of
	facts      []string
	outcomes   map[[2]string]factOutcome
}

type factOutcome struct {
	outcome outcome
	why     string // it was skipped
}

// note takes what a test has come to, if it is about a fact.
func (t *factTable) note(test string, o outcome, said string) {
	name, fact, ok := strings.Cut(test, "/")
	transport, isFact := strings.CutPrefix(name, factPrefix)
	if !ok || !isFact || strings.Contains(fact, "/") {
		return
	}
	fact = strings.ReplaceAll(fact, "_", " ") // as go test writes spaces
	if t.outcomes == nil {
		t.outcomes = make(map[[2]string]factOutcome)
	}
	if !slices.Contains(t.transports, transport) {
		t.transports = append(t.transports, transport)
	}
	if !slices.Contains(t.facts, fact) {
		t.facts = append(t.facts, fact)
	}
	t.outcomes[[2]string{transport, fact}] = factOutcome{o, reason(said)}
}

var logged = regexp.MustCompile(`(?m)^\s*\S+\.go:\d+: (.*)$`)

// reason is what a test said last, without the place where it said so.
func reason(said string) string {
	all := logged.FindAllStringSubmatch(said, -1)
	if len(all) == 0 {
		return "without a reason"
	}
	return all[len(all)-1][1]
}

// text is the table, and below it why facts do not apply.
func (t *factTable) text(where string) string {
	title := "facts of transports " + where
	wide := len(slices.MaxFunc(append(t.facts, title), func(a, b string) int { return cmp.Compare(len(a), len(b)) }))
	var b strings.Builder
	row := func(first string, cell func(transport string) string) {
		line := fmt.Sprintf("%-*s", wide, first)
		for _, name := range t.transports {
			line += fmt.Sprintf("  %-*s", max(len(name), len("FAIL")), cell(name))
		}
		fmt.Fprintln(&b, strings.TrimRight(line, " "))
	}
	var reasons []string
	fmt.Fprintln(&b)
	row(title, func(name string) string { return name })
	for _, fact := range t.facts {
		row(fact, func(name string) string { return t.cell(name, fact, &reasons) })
	}
	fmt.Fprintln(&b)
	for i, why := range reasons {
		fmt.Fprintf(&b, "–%d  does not apply: %s\n", i+1, why)
	}
	return b.String()
}

// cell is a few letters; reasons are numbered as they come.
func (t *factTable) cell(transport, fact string, reasons *[]string) string {
	switch o, known := t.outcomes[[2]string{transport, fact}]; {
	case !known:
		return "?" // its process ended before
	case o.outcome == passed:
		return "ok"
	case o.outcome == failed:
		return "FAIL"
	default:
		i := slices.Index(*reasons, o.why)
		if i < 0 {
			i, *reasons = len(*reasons), append(*reasons, o.why)
		}
		return fmt.Sprintf("–%d", i+1)
	}
}
