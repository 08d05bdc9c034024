package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// running are the processes that a session has started with "start".
type running map[string]*process

type runningKey struct{}

// process is a program that runs while the session goes on.
type process struct {
	name           string
	cmd            *exec.Cmd
	stdout, stderr watched
	ended          chan error // receives the result of Wait, once
}

// patience is how long anything may take before the test gives up.
const patience = time.Minute

// start NAME READY program args… starts a program and waits until a line that
// it writes, to either stream, matches READY. The session's end ends it.
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: start NAME READY program [args…]")
	}
	p := &process{name: args[0], cmd: exec.Command(args[2], args[3:]...), ended: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = environment(ts)
	ts.Check(p.cmd.Start())
	go func() { p.ended <- p.cmd.Wait() }()
	processes(ts)[p.name] = p
	ts.Defer(func() { p.cmd.Process.Kill() })
	p.await(ts, args[1])
}

// await NAME LINE waits until what start has started writes a line, to either
// stream, that matches LINE and comes after the last one waited for.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await NAME LINE")
	}
	named(ts, args[0]).await(ts, args[1])
}

func (p *process) await(ts *testscript.TestScript, line string) {
	want, err := regexp.Compile(line)
	ts.Check(err)
	seen := make(chan struct{})
	once := sync.OnceFunc(func() { close(seen) })
	p.stdout.await(want, once)
	p.stderr.await(want, once)
	tooLong := time.NewTimer(patience)
	defer tooLong.Stop()
	defer p.stdout.await(nil, nil)
	defer p.stderr.await(nil, nil)
	select {
	case <-seen:
		return
	case <-tooLong.C:
		ts.Fatalf("%s has written no line like %s\n%s%s", p.name, line, p.stdout.text(), p.stderr.text())
	case err = <-p.ended: // and all that it has written is seen
		p.ended <- err
	}
	select {
	case <-seen:
	default:
		ts.Fatalf("%s ended and wrote no line like %s: %v\n%s%s", p.name, line, err, p.stdout.text(), p.stderr.text())
	}
}

// interrupt NAME sends SIGINT to what start has started.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: interrupt NAME")
	}
	ts.Check(named(ts, args[0]).cmd.Process.Signal(os.Interrupt))
}

// crash NAME kills what start has started, so that it cannot clean up, and
// waits until it is gone.
func crash(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: crash NAME")
	}
	p := named(ts, args[0])
	ts.Check(p.cmd.Process.Kill())
	p.ended <- <-p.ended
}

// finish NAME STATUS waits for the end of what start has started, checks its
// exit status, and writes what it said into NAME.stdout and NAME.stderr.
func finish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: finish NAME STATUS")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	p := named(ts, args[0])
	got := exitStatusOf(<-p.ended)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".stdout"), []byte(p.stdout.text()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".stderr"), []byte(p.stderr.text()), 0o600))
	if got != want {
		ts.Fatalf("%s: exit status %d, want %d\n%s", args[0], got, want, p.stderr.text())
	}
}

func processes(ts *testscript.TestScript) running { return ts.Value(runningKey{}).(running) }

func named(ts *testscript.TestScript, name string) *process {
	p := processes(ts)[name]
	if p == nil {
		ts.Fatalf("nothing was started as %s", name)
	}
	return p
}

// environment is what the session's own commands see.
func environment(ts *testscript.TestScript) []string {
	var vars []string
	for _, name := range []string{"PATH", "HOME", "USERPROFILE", "TMPDIR", "GOCOVERDIR", "WORK",
		"EKKO_IPC_PATH", "EKKO_IPC_RUNTIME_DIR", "EKKO_IPC_STATE_DIR", "NO_COLOR", "SystemRoot"} {
		if value := ts.Getenv(name); value != "" {
			vars = append(vars, name+"="+value)
		}
	}
	return vars
}

// watched keeps what is written, and tells of the next line that matches.
type watched struct {
	mu     sync.Mutex
	kept   bytes.Buffer
	passed int            // of kept: up to the last line that was waited for
	looked int            // of kept: the lines that were looked at
	want   *regexp.Regexp // nil: nobody waits
	seen   func()
}

var _ io.Writer = (*watched)(nil)

func (w *watched) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept.Write(text)
	w.lookLocked()
	return len(text), nil
}

// await has seen called when a line matches; with nil, nothing any more.
func (w *watched) await(want *regexp.Regexp, seen func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.want, w.seen, w.looked = want, seen, w.passed
	w.lookLocked()
}

func (w *watched) lookLocked() {
	for w.want != nil {
		line, _, whole := bytes.Cut(w.kept.Bytes()[w.looked:], []byte("\n"))
		if !whole {
			return
		}
		w.looked += len(line) + 1
		if w.want.Match(line) {
			w.want, w.passed = nil, w.looked
			w.seen()
		}
	}
}

func (w *watched) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept.String()
}
