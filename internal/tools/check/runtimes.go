package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// runtimesPackage pins the runtimes in which the npm package is tested; they
// are installed below .build, where they survive everything but make clean.
const runtimesPackage = "js/test/runtimes"

// A jsRuntime is one of those, or the one that is compiled in.
type jsRuntime struct {
	title   string
	kind    string // what js/test/world.js calls it
	from    string // the npm package; "" for our own
	program string // within that
	quick   bool   // it is tested by make test, too
}

// Node 22, 24 and 26 load modules by the same hooks; those of Node 20 are
// tested by npm test wherever that is the Node there is.
var jsRuntimes = []jsRuntime{
	{"Node 20", "node", "node20", "bin/node", false},
	{"Node 22", "node", "node22", "bin/node", false},
	{"Node 24", "node", "node24", "bin/node", false},
	{"Node 26", "node", "node26", "bin/node", true},
	{"Bun", "bun", "@oven/bun-linux-x64", "bin/bun", true},
	{"Deno", "deno", "@deno/linux-x64-glibc", "deno", true},
	{"embedded", "embedded", "", "", true},
}

// A role is what the tests of a file have the package do.
type role struct {
	name  string
	files []string // whose programs are run in the runtime, whoever runs the tests
	more  []string // which a runtime with a test runner of its own runs as well
}

var roles = []role{
	{"client", []string{"life", "run"}, []string{"client", "conversations-client", "conversations-long", "hostile", "fuzz", "mend", "moved", "registry", "testing", "browser", "vectors"}},
	{"service", []string{"life-service"}, []string{"conversations-service", "hostile-client", "identity", "kept", "filter", "schema", "tool"}},
}

// atOnce is how many runtimes are tested at the same time.
const atOnce = 2

// testRuntimes runs the tests of both roles in each runtime, and shows a table
// of them. In make test these are some runtimes, and the tests that run
// programs in them.
func (r *runner) testRuntimes(ctx context.Context) error {
	root, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	modules, fetched := r.fetchRuntimes(ctx)
	env, err := testPrograms(ctx, root)
	if err != nil {
		return err
	}
	var cells []*cell
	for _, in := range jsRuntimes {
		if !in.quick && !r.allRuntimes || in.from != "" && modules == "" {
			continue
		}
		for _, as := range roles {
			cells = append(cells, newCell(in, as, modules, root, r.allRuntimes))
		}
	}
	runCells(ctx, cells, env)
	for _, c := range cells {
		r.count(c)
	}
	fmt.Fprint(r.out, table(cells))
	return fetched
}

// fetchRuntimes installs the runtimes where what is installed is older than
// their list. Without them the embedded one can still be tested.
func (r *runner) fetchRuntimes(ctx context.Context) (modules string, err error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		fmt.Fprintln(r.out, "the other runtimes are pinned for linux/amd64 only: left out here")
		return "", nil
	}
	dir := filepath.Join(".build", "runtimes")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		if err := copyIfOther(filepath.Join(runtimesPackage, name), filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	if err := npmInstall(ctx, r, dir, "--ignore-scripts"); err != nil {
		return "", fmt.Errorf("the runtimes could not be fetched from npm, and were not tested: %w", err)
	}
	return filepath.Abs(filepath.Join(dir, "node_modules"))
}

// copyIfOther leaves a file alone that says the same already: its age tells
// whether something has to be installed.
func copyIfOther(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(to); err == nil && string(have) == string(text) {
		return nil
	}
	return os.WriteFile(to, text, 0o644)
}

// testPrograms builds the programs that the tests start, and returns the
// environment in which they find them.
func testPrograms(ctx context.Context, root string) ([]string, error) {
	env := []string{"NO_COLOR=1", "DENO_NO_UPDATE_CHECK=1"}
	for name, dir := range map[string]string{"ekko-ipc": "./cmd/ekko-ipc", "database-service": "./examples/database-service"} {
		program := filepath.Join(root, ".build", "js-test", name)
		if err := inRoot("go", "build", "-o", program, dir).quiet(ctx); err != nil {
			return nil, err
		}
		env = append(env, "EKKO_IPC_TEST_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+program)
	}
	return env, nil
}

// A cell is one role in one runtime.
type cell struct {
	runtime jsRuntime
	role    role
	program string
	files   []string

	passed, failed, skipped int
	said                    string // by what failed
	took                    time.Duration
}

func newCell(in jsRuntime, as role, modules, root string, all bool) *cell {
	c := &cell{runtime: in, role: as, program: filepath.Join(modules, in.from, in.program), files: as.files}
	if in.from == "" {
		c.program = filepath.Join(root, ".build", "js-test", "ekko-ipc")
	} else if all {
		c.files = append(append([]string(nil), as.files...), as.more...)
	}
	return c
}

// patient is how long a test may take, on a machine that does other things.
const patient = "120000"

// command runs one file of tests. A file is run by itself, as node --test
// does it: it has the process's environment and working directory to itself.
func (c *cell) command(file string) command {
	path := "./test/" + file + ".test.js"
	switch c.runtime.kind {
	case "bun":
		return in("js", c.program, "test", "--timeout", patient, path)
	case "deno":
		return in("js", c.program, "test", "--allow-all", "--no-check", path)
	case "embedded":
		return in("js", "node", "--test", "--test-timeout="+patient, path).with("EKKO_IPC_TEST_RUNTIME=embedded:" + c.program)
	}
	return in("js", c.program, "--test", "--test-timeout="+patient, path)
}

func (c *cell) run(ctx context.Context, env []string) {
	begin := time.Now()
	for _, file := range c.files {
		text, err := c.command(file).with(env...).output(ctx)
		passed, failed, skipped := countTests(text)
		if err != nil && failed == 0 || err == nil && passed == 0 {
			failed++ // it ended before it could say, or did nothing
		}
		if failed > 0 {
			c.said += fmt.Sprintf("%s%s: %s: %v\n", ensureNewline(text), c.runtime.title, file, err)
		}
		c.passed, c.failed, c.skipped = c.passed+passed, c.failed+failed, c.skipped+skipped
	}
	c.took = time.Since(begin)
}

func runCells(ctx context.Context, cells []*cell, env []string) {
	var running sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, c := range cells {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			c.run(ctx, env)
		})
	}
	running.Wait()
}

// testCount is a number in the summaries of node --test, bun test and deno
// test: "ℹ pass 5" or "# pass 5", "5 pass" on a line of its own, "5 passed".
var testCount = regexp.MustCompile(`(?m)^(?:ℹ|#) (pass|fail|skipped) (\d+)\r?$|^ *(\d+) (pass|fail|skip)\r?$|\| (\d+) (passed|failed|ignored)\b`)

func countTests(text string) (passed, failed, skipped int) {
	for _, m := range testCount.FindAllStringSubmatch(text, -1) {
		word, number := m[1]+m[4]+m[6], m[2]+m[3]+m[5]
		n, _ := strconv.Atoi(number)
		switch word {
		case "pass", "passed":
			passed += n
		case "fail", "failed":
			failed += n
		default:
			skipped += n
		}
	}
	return passed, failed, skipped
}

// count adds a cell to the tally.
func (r *runner) count(c *cell) {
	name := "js in " + c.runtime.title + " as a " + c.role.name
	r.tally.addMany(name, c.passed, passed)
	r.tally.addMany(name, c.failed, failed)
	r.tally.addMany(name, c.skipped, skipped)
	fmt.Fprint(r.out, c.said)
}

// table shows the cells, which come in the order of its rows.
func table(cells []*cell) string {
	var b strings.Builder
	versions := runtimeVersions()
	fmt.Fprintf(&b, "%-10s %-10s", "runtime", "version")
	for _, as := range roles {
		fmt.Fprintf(&b, " %-22s", as.name)
	}
	for i, c := range cells {
		if i%len(roles) == 0 {
			fmt.Fprintf(&b, "\n%-10s %-10s", c.runtime.title, versions[c.runtime.from])
		}
		word := map[bool]string{true: "ok", false: "FAIL"}[c.failed == 0]
		fmt.Fprintf(&b, " %-22s", fmt.Sprintf("%s %d/%d %s", word, c.passed, c.passed+c.failed, seconds(c.took)))
	}
	return b.String() + "\n"
}

// runtimeVersions reads which version of each package is wanted.
func runtimeVersions() map[string]string {
	var p struct{ Dependencies map[string]string }
	text, err := os.ReadFile(filepath.Join(runtimesPackage, "package.json"))
	if err != nil || json.Unmarshal(text, &p) != nil {
		return nil
	}
	for name, version := range p.Dependencies {
		p.Dependencies[name] = version[strings.LastIndexByte(version, '@')+1:]
	}
	return p.Dependencies
}
