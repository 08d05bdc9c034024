package main

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tree writes files into a new folder, from "name: text" pairs.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestGoTest runs the real go test over tests of every fate.
func TestGoTest(t *testing.T) {
	dir := tree(t, map[string]string{
		"go.mod": "module example.test/fates\n\ngo 1.26\n",
		"good/a_test.go": `package good
			import "testing"
			func TestA(t *testing.T) { t.Run("one", func(*testing.T) {}); t.Run("two", func(t *testing.T) { t.Skip() }) }`,
		"bad/b_test.go": `package bad
			import "testing"
			func TestB(t *testing.T) { t.Error("the reason") }
			func TestC(*testing.T) {}`,
		"broken/c_test.go": `package broken
			func oops() int { return "text" }`,
		"dies/d_test.go": `package dies
			import ("os"; "testing")
			func TestD(*testing.T) { println("last words"); os.Exit(3) }`,
		"hangs/e_test.go": `package hangs
			import "testing"
			func TestE(*testing.T) { select {} }`,
	})
	var out strings.Builder
	r := &runner{out: &out, tally: newTally(), fresh: true}
	if err := r.goTest(t.Context(), in(dir, "-timeout=1s", "./...").with("GOFLAGS=-mod=mod")); err == nil {
		t.Error("no error though tests failed")
	}
	if got, want := r.tally.String(), "3 passed, 4 failed, 1 skipped"; got != want {
		t.Errorf("tally = %s, want %s; failed: %q", got, want, r.tally.failures())
	}
	if want := "example.test/fates/hangs (did not end: TestE)"; !slices.Contains(r.tally.failures(), want) {
		t.Errorf("failed: %q, want %q among them", r.tally.failures(), want)
	}
	for _, want := range []string{"the reason", `cannot use "text"`, "last words", "FAIL example.test/fates/broken", "ok   example.test/fates/good"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, &out)
		}
	}
}

// TestFactTable: what is a fact, which transport has it, and why one has not.
func TestFactTable(t *testing.T) {
	var table factTable
	for _, e := range []struct {
		test string
		o    outcome
		said string
	}{
		{"TestFactsUnix/frames_arrive", passed, ""},
		{"TestFactsUnix/it_stalls", skipped, "=== RUN x\n    long.go:30: it is patient: very\n--- SKIP: x\n"},
		{"TestFactsUnix/it_ends/at_once", failed, ""}, // a part of a fact
		{"TestFactsUnix/it_ends", failed, ""},
		{"TestFactsUnix", failed, ""},
		{"TestFactsMQ/frames_arrive", passed, ""},
		{"TestOther/frames_arrive", failed, ""},
	} {
		table.note(e.test, e.o, e.said)
	}
	const want = `
facts of transports here  Unix  MQ
frames arrive             ok    ok
it stalls                 –1    ?
it ends                   FAIL  ?

–1  does not apply: it is patient: very
`
	if got := table.text("here"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestTally(t *testing.T) {
	y := newTally()
	y.add("p", "A", passed)
	y.add("p", "A", skipped) // skipped in another run: it did pass once
	y.add("p", "B", passed)
	y.add("p", "B", failed)
	y.add("p", "C", skipped)
	y.addMany("js", 3, passed)
	if got, want := y.String(), "4 passed, 1 failed, 1 skipped"; got != want {
		t.Errorf("tally = %s, want %s", got, want)
	}
	if got := y.failures(); !slices.Equal(got, []string{"p B"}) {
		t.Errorf("failures = %q", got)
	}
}

// TestRun shows what a run of several steps ends with.
func TestRun(t *testing.T) {
	good := step{name: "good", run: func(context.Context, *runner) error { return nil }}
	bad := step{name: "bad", run: func(context.Context, *runner) error { return fmt.Errorf("no") }}
	counts := step{name: "counts", tests: true, run: func(_ context.Context, r *runner) error {
		r.tally.add("p", "T", failed)
		return fmt.Errorf("exit status 1")
	}}
	vital := bad
	vital.needed = true
	for _, c := range []struct {
		steps []step
		code  int
		last  string
	}{
		{[]step{good, good}, 0, "1 passed, 0 failed, 0 skipped"}, // of one name, so counted once
		{[]step{bad, good}, 1, "1 passed, 1 failed, 0 skipped"},
		{[]step{counts, good}, 1, "1 passed, 1 failed, 0 skipped"},
		{[]step{vital, good}, 1, "0 passed, 1 failed, 0 skipped"},
	} {
		var out strings.Builder
		r := &runner{out: &out, tally: newTally()}
		code := r.run(t.Context(), c.steps)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if last := lines[len(lines)-1]; code != c.code || last != c.last {
			t.Errorf("code %d and %q, want %d and %q:\n%s", code, last, c.code, c.last, &out)
		}
	}
}

func TestChoose(t *testing.T) {
	for args, want := range map[string]string{"fuzz race": "race fuzz", "lint": "gofmt house vet staticcheck cross", "": ""} {
		chosen, err := choose(strings.Fields(args))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range chosen {
			names = append(names, s.name)
		}
		if got := strings.Join(names, " "); got != want && want != "" || len(chosen) == 0 {
			t.Errorf("choose(%q) = %q, want %q", args, got, want)
		}
	}
	if _, err := choose([]string{"dance"}); err == nil {
		t.Error("no error for an unknown step")
	}
}

func TestHouse(t *testing.T) {
	const text = `package some_test
		import "time"
		func F() { time.Sleep(1) }
		// G is told about.
		func G() {}
		type T struct{}
		func (T) Method() {}
		func (T) String() string { return "" }
		func (t) Hidden() {}
		type t struct{}
		func (*List[E]) Push() {}
		// Colours.
		const ( Red = iota; Green )
		var ( Loose int
			Told int // is told here
		)`
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "some_test.go", text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	say := func(at token.Pos, format string, args ...any) {
		said = append(said, fmt.Sprintf("%d: "+format, append([]any{fset.Position(at).Line}, args...)...))
	}
	findUncommented(f, say)
	findSleeps(f, say)
	want := []string{
		"3: F has no comment", "6: T has no comment", "7: Method has no comment", "11: Push has no comment", "14: Loose has no comment",
		"3: time.Sleep in a test: wait for a fact, or use testing/synctest",
	}
	if !slices.Equal(said, want) {
		t.Errorf("said:\n%s\nwant:\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
}

func TestProgressOf(t *testing.T) {
	const text = "fuzz: elapsed: 0s, gathering baseline coverage: 0/9 completed\n" +
		"fuzz: elapsed: 3s, execs: 100 (33/sec), new interesting: 1 (total: 10)\n" +
		"fuzz: elapsed: 5s, execs: 250 (50/sec), new interesting: 4 (total: 13)\nPASS\n"
	if execs, found := progressOf(text); execs != 250 || found != 4 {
		t.Errorf("progressOf = %d, %d", execs, found)
	}
}

func TestFuzzTargets(t *testing.T) {
	t.Chdir(tree(t, map[string]string{
		"a/a_test.go":            "package a\nfunc FuzzOne() {}\nfunc TestX() {}",
		"b/c/b_test.go":          "package c\nfunc FuzzTwo() {}",
		"b/c/b_plan9_test.go":    "package c\nfunc FuzzElsewhere() {}",
		"b/c/not.go":             "package c\nfunc FuzzNot() {}",
		"node_modules/x_test.go": "package x\nfunc FuzzForeign() {}",
	}))
	got, err := fuzzTargets("")
	if err != nil {
		t.Fatal(err)
	}
	if want := []fuzzTarget{{"./a", "FuzzOne"}, {"./b/c", "FuzzTwo"}}; !slices.Equal(got, want) {
		t.Errorf("targets = %v, want %v", got, want)
	}
	if got, _ := fuzzTargets("Two"); len(got) != 1 {
		t.Errorf("targets with Two = %v", got)
	}
}

func TestCountNode(t *testing.T) {
	for _, c := range []struct {
		text string
		bad  bool
		want string
	}{
		{"ℹ tests 5\nℹ pass 4\nℹ fail 0\nℹ skipped 1\n", false, "4 passed, 0 failed, 1 skipped"},
		{"# pass 4\r\n# fail 2\r\n# pass 1\n", true, "5 passed, 2 failed, 0 skipped"},
		{" 9 pass\n 1 skip\n 2 fail\nRan 12 tests across 1 file. [3.05s]\n", true, "9 passed, 2 failed, 1 skipped"},
		{"says 5 passed ... ok (2ms)\n\nok | 8 passed | 0 failed | 1 ignored (4s)\n", false, "8 passed, 0 failed, 1 skipped"},
		{"tsc: no such program\n", true, "0 passed, 1 failed, 0 skipped"},
		{"all is fine\n", false, "1 passed, 0 failed, 0 skipped"},
	} {
		r := &runner{tally: newTally()}
		r.countNode("js", c.text, c.bad)
		if got := r.tally.String(); got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
}

// TestRuntimes shows that what is to run in each runtime is there.
func TestRuntimes(t *testing.T) {
	t.Chdir(filepath.Join("..", "..", ".."))
	versions := runtimeVersions()
	for _, in := range jsRuntimes {
		if in.from != "" && versions[in.from] == "" {
			t.Errorf("%s: %s has no %s", in.title, runtimesPackage, in.from)
		}
	}
	for _, as := range roles {
		for _, file := range append(as.more, as.files...) {
			if _, err := os.Stat(filepath.Join("js", "test", file+".test.js")); err != nil {
				t.Error(err)
			}
		}
	}
	c := newCell(jsRuntimes[0], roles[0], "/modules", "/root", false)
	c.passed, c.took = 7, time.Second
	d := newCell(jsRuntimes[0], roles[1], "/modules", "/root", false)
	d.passed, d.failed = 1, 2
	want := "Node 20    " + versions["node20"] + "    ok 7/7 1.0 s           FAIL 1/3 0.0 s"
	if got := table([]*cell{c, d}); !strings.Contains(got, want) {
		t.Errorf("the table\n%s lacks\n%s", got, want)
	}
}

func TestLineWriter(t *testing.T) {
	var got []string
	w := &lineWriter{use: func(b []byte) { got = append(got, string(b)) }}
	for _, s := range []string{"one\nt", "w", "o\n\nlast"} {
		w.Write([]byte(s))
	}
	w.flush()
	if want := []string{"one", "two", "", "last"}; !slices.Equal(got, want) {
		t.Errorf("lines %q, want %q", got, want)
	}
}

// TestCommandEnds shows that what a step started ends with the step, its
// grandchildren included: one left over would hold the pipe open until the
// patience of os/exec is over.
func TestCommandEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := inRoot("sh", "-c", "sleep 1000 & echo started; wait").lines(ctx, func([]byte) { cancel() })
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		t.Errorf("error %v", err)
	}
}
