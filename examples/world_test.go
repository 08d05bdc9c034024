package examples_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The programs, built once for all tests.
var databaseService, ekkoIPC string

const pythonScript = "examples/python-service/service.py"

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "examples")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-o", dir, "./cmd/ekko-ipc", "./examples/database-service")
		build.Dir = ".."
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
			return 1
		}
		databaseService = filepath.Join(dir, "database-service")
		ekkoIPC = filepath.Join(dir, "ekko-ipc")
		return m.Run()
	}())
}

// world is the project's root with a runtime directory and a home of its own.
type world struct {
	t       *testing.T
	root    string
	runtime string
	env     []string
}

func newWorld(t *testing.T) *world {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	// Short, because a socket's path has to be.
	runtime, err := os.MkdirTemp("", "ekko")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(runtime) })
	return &world{
		t:       t,
		root:    root,
		runtime: runtime,
		env:     append(os.Environ(), "EKKO_IPC_RUNTIME_DIR="+runtime, "EKKO_IPC_PATH=", "HOME="+t.TempDir(), "NO_COLOR=1"),
	}
}

// process is a program under way.
type process struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr output
	waited sync.Once
}

// output collects what a program says, for whoever waits for a word of it.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed with the next Write; nil while nobody waits
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
	return o.text.Write(b)
}

// String returns what was said so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await waits until word was said.
func (o *output) await(t *testing.T, word string) {
	t.Helper()
	tooLong := time.NewTimer(patience)
	defer tooLong.Stop()
	for {
		o.mu.Lock()
		said := o.text.String()
		if o.changed == nil {
			o.changed = make(chan struct{})
		}
		changed := o.changed
		o.mu.Unlock()
		if strings.Contains(said, word) {
			return
		}
		select {
		case <-changed:
		case <-tooLong.C:
			t.Fatalf("never said %q, but\n%s", word, said)
		}
	}
}

// patience is how long anything may take before the test gives up.
const patience = 30 * time.Second

// start starts a service and waits until it says that it is ready.
func (w *world) start(program string, args ...string) *process {
	w.t.Helper()
	p := w.launch(program, args...)
	if line := p.line(); !strings.Contains(line, " ready on unix:"+w.runtime+"/") {
		w.t.Fatalf("%s said %q instead of being ready\n%s", p.name, line, p.stderr.String())
	}
	return p
}

func (w *world) startPython() *process {
	w.t.Helper()
	return w.start(pythonPath(w.t), pythonScript)
}

func pythonPath(t *testing.T) string {
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("this machine has no Python")
	}
	return path
}

func (w *world) launch(program string, args ...string) *process {
	w.t.Helper()
	p := &process{t: w.t, name: filepath.Base(program), cmd: exec.Command(program, args...)}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = w.root, w.env, &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	p.stdout = bufio.NewReader(stdout)
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
	w.t.Cleanup(func() {
		timer.Stop()
		p.cmd.Process.Kill()
		p.wait()
		if w.t.Failed() && p.stderr.String() != "" {
			w.t.Logf("%s on standard error:\n%s", p.name, p.stderr.String())
		}
	})
	return p
}

// line returns the next line of the program's output.
func (p *process) line() string {
	line, err := p.stdout.ReadString('\n')
	if err != nil && err != io.EOF {
		p.t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\n")
}

// wait waits for the program's end.
func (p *process) wait() *os.ProcessState {
	p.waited.Do(func() {
		io.Copy(io.Discard, p.stdout)
		p.cmd.Wait()
	})
	return p.cmd.ProcessState
}

// run runs ekko-ipc, which must end with the status exit, and returns what it
// printed: its output, or its complaint if it failed.
func (w *world) run(exit int, args ...string) string {
	w.t.Helper()
	p := w.launch(ekkoIPC, args...)
	out, err := io.ReadAll(p.stdout)
	if err != nil {
		w.t.Fatal(err)
	}
	if got := p.wait().ExitCode(); got != exit {
		w.t.Fatalf("ekko-ipc %s ended with %d, want %d\n%s%s", strings.Join(args, " "), got, exit, out, p.stderr.String())
	}
	if exit != 0 {
		return p.stderr.String()
	}
	return strings.TrimSuffix(string(out), "\n")
}

func (w *world) call(method string, args ...string) string {
	w.t.Helper()
	return w.run(0, append([]string{"call", method}, args...)...)
}

func (w *world) publish(service, event, data string) {
	w.t.Helper()
	w.run(0, "pub", service, event, data)
}

// refused makes a call that must fail with the code.
func (w *world) refused(code, method string, args ...string) {
	w.t.Helper()
	if got := w.run(1, append([]string{"call", method}, args...)...); !strings.Contains(got, code+": ") {
		w.t.Errorf("%s %v: want %s, got %s", method, args, code, got)
	}
}

// listen subscribes to one event, and returns what waits for it.
func (w *world) listen(service, pattern string) (heard func() string) {
	w.t.Helper()
	p := w.launch(ekkoIPC, "sub", service, pattern, "--count", "1", "--json")
	p.stderr.await(w.t, "listening")
	return func() string {
		w.t.Helper()
		line := p.line()
		p.wait()
		return line
	}
}

// want compares.
func (w *world) want(got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("want %s\n got %s", want, got)
	}
}

// empty makes sure that the services have left nothing behind.
func (w *world) empty() {
	w.t.Helper()
	left, err := os.ReadDir(w.runtime)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, entry := range left {
		w.t.Errorf("left behind: %s", entry.Name())
	}
}
