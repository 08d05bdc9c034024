package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// An event is a line of go test -json; see go doc test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Output     string
	Elapsed    float64
}

// goTest runs go test -json with the given arguments, counts what it reports
// and shows a line for each package, and all that a failing test printed.
func (r *runner) goTest(ctx context.Context, c command) error {
	c.args = append([]string{"go", "test", "-json"}, c.args...)
	if r.fresh {
		c.args = slices.Insert(c.args, 3, "-count=1")
	}
	p := &testParser{out: r.out, tally: r.tally, facts: r.facts}
	stderr, err := c.lines(ctx, p.line)
	p.close()
	if err != nil {
		return errors.New(ensureNewline(stderr) + c.String() + ": " + err.Error())
	}
	return nil
}

// A testParser follows the events of one go test.
type testParser struct {
	out    io.Writer
	tally  *tally
	facts  *factTable                  // nil: nobody asks
	output map[string]*strings.Builder // by package and test, until it has ended
	count  map[string]int              // tests by package
	failed map[string]bool             // packages with a failed test
	hung   map[string][]string         // by package, tests that ran when its time was over
}

func (p *testParser) line(text []byte) {
	var e event
	if json.Unmarshal(text, &e) != nil {
		fmt.Fprintf(p.out, "%s\n", text) // not of the test, so perhaps of interest
		return
	}
	if p.output == nil {
		p.output, p.count = make(map[string]*strings.Builder), make(map[string]int)
		p.failed, p.hung = make(map[string]bool), make(map[string][]string)
	}
	switch e.Action {
	case "build-output":
		fmt.Fprint(p.out, e.Output)
	case "output":
		p.keep(e)
	case "pass", "fail", "skip":
		if e.Test == "" {
			p.endPackage(e)
		} else {
			p.endTest(e)
		}
	}
}

func key(e event) string { return e.Package + " " + e.Test }

func (p *testParser) keep(e event) {
	b := p.output[key(e)]
	if b == nil {
		b = new(strings.Builder)
		p.output[key(e)] = b
	}
	b.WriteString(e.Output)
	if m := runningTest.FindStringSubmatch(e.Output); m != nil {
		p.hung[e.Package] = append(p.hung[e.Package], m[1])
	}
}

// runningTest is how the testing package names a test that still runs when
// the time of its process is over.
var runningTest = regexp.MustCompile(`^\t\t(\S+) \([\dhms.]+\)\n$`)

var outcomeOf = map[string]outcome{"pass": passed, "fail": failed, "skip": skipped}

func (p *testParser) endTest(e event) {
	p.tally.add(e.Package, e.Test, outcomeOf[e.Action])
	p.count[e.Package]++
	if p.facts != nil {
		p.facts.note(e.Test, outcomeOf[e.Action], p.said(e))
	}
	if e.Action == "fail" {
		p.failed[e.Package] = true
		p.show(key(e))
	}
	delete(p.output, key(e))
}

func (p *testParser) said(e event) string {
	if b := p.output[key(e)]; b != nil {
		return b.String()
	}
	return ""
}

func (p *testParser) show(key string) {
	if b := p.output[key]; b != nil {
		fmt.Fprint(p.out, b)
	}
}

// endPackage counts a package that failed without a failed test, as one that
// does not compile or whose process died, as one failure.
func (p *testParser) endPackage(e event) {
	switch {
	case e.Action == "fail":
		if !p.failed[e.Package] {
			what := "(package)"
			if running := p.hung[e.Package]; running != nil {
				what = "(did not end: " + strings.Join(running, ", ") + ")"
			}
			p.tally.add(e.Package, what, failed)
			for _, k := range slices.Sorted(maps.Keys(p.output)) { // tests that never ended
				if strings.HasPrefix(k, e.Package+" ") {
					p.show(k)
				}
			}
		}
		fmt.Fprintf(p.out, "FAIL %s\n", e.Package)
	case p.count[e.Package] > 0:
		fmt.Fprintf(p.out, "ok   %-50s %5d tests %8.1f s\n", e.Package, p.count[e.Package], e.Elapsed)
	}
	maps.DeleteFunc(p.output, func(k string, _ *strings.Builder) bool { return strings.HasPrefix(k, e.Package+" ") })
}

// close shows what never came to an end, as when the time was over.
func (p *testParser) close() {
	for _, k := range slices.Sorted(maps.Keys(p.output)) {
		p.show(k)
	}
}

// Each package has eight minutes, four times what the slowest takes with
// the race detector, so that one that hangs does not hold up all the others.
func test(ctx context.Context, r *runner) error {
	return r.goTest(ctx, inRoot("-timeout=8m", "./..."))
}

func race(ctx context.Context, r *runner) error {
	return r.goTest(ctx, inRoot("-timeout=8m", "-race", "./...").with("CGO_ENABLED=1"))
}

func testModules(ctx context.Context, r *runner) (err error) {
	for _, dir := range modules[1:] {
		err = errors.Join(err, r.goTest(ctx, in(dir, "./...")))
	}
	return err
}

// benchmarks runs each one for a single iteration: they must not rot.
func benchmarks(ctx context.Context, r *runner) error {
	return inRoot("go", "test", "-run", "^$", "-bench", ".", "-benchtime", "1x", "./...").quiet(ctx)
}
