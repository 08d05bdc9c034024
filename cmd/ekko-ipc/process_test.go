package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// running are the processes that a session has started with "start".
type running map[string]*process

type runningKey struct{}

// process is a program that runs while the session goes on.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr watched
	ended          chan error // receives the result of Wait, once
}

// start NAME READY program args… starts a program and waits until a line that
// it writes, to either stream, matches READY. The session's end ends it.
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: start NAME READY program [args…]")
	}
	ready, err := regexp.Compile(args[1])
	ts.Check(err)
	seen := make(chan struct{})
	p := &process{cmd: exec.Command(args[2], args[3:]...), ended: make(chan error, 1)}
	once := sync.OnceFunc(func() { close(seen) })
	p.stdout = watched{ready: ready, seen: once}
	p.stderr = watched{ready: ready, seen: once}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = environment(ts)
	ts.Check(p.cmd.Start())
	go func() { p.ended <- p.cmd.Wait() }()
	processes(ts)[args[0]] = p
	ts.Defer(func() { p.cmd.Process.Kill() })
	select {
	case <-seen:
	case err := <-p.ended:
		ts.Fatalf("%s ended before it was ready: %v\n%s%s", args[0], err, p.stdout.text(), p.stderr.text())
	}
}

// interrupt NAME sends SIGINT to what start has started.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: interrupt NAME")
	}
	ts.Check(named(ts, args[0]).cmd.Process.Signal(os.Interrupt))
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
		"EKKO_IPC_PATH", "EKKO_IPC_RUNTIME_DIR", "NO_COLOR", "SystemRoot"} {
		if value := ts.Getenv(name); value != "" {
			vars = append(vars, name+"="+value)
		}
	}
	return vars
}

// watched keeps what is written, and reports the first line that matches.
type watched struct {
	ready *regexp.Regexp
	seen  func()

	mu   sync.Mutex
	kept bytes.Buffer
}

var _ io.Writer = (*watched)(nil)

func (w *watched) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept.Write(text)
	lines := bufio.NewScanner(bytes.NewReader(w.kept.Bytes()))
	for lines.Scan() {
		if w.ready.Match(lines.Bytes()) {
			w.seen()
		}
	}
	return len(text), nil
}

func (w *watched) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept.String()
}
