package script_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"go.uber.org/goleak"

	"github.com/ekkojs/ipc/script"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestScripts runs the apps in testdata. Each archive holds an app, whose
// first file is run, and what comes of it: the files stdout and stderr (absent:
// nothing) and exit (absent: 0). Lines at the top that begin with a word and a
// colon say how it is run:
//
//	args: a b            process.argv
//	env: NAME=value      process.env, as often as needed
//	stdin: text          one line
//	memory: 33554432     Options.MemoryLimit
//	cancel: ready        end the context when stdout has this line
//	signal: ready SIGINT send a signal then, as often as needed
//	heavy: why           not under the race detector
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runArchive(t, file)
		})
	}
}

// hangs is when an app is taken for one that hangs.
const hangs = 30 * time.Second

func runArchive(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &run{dir: dir, options: script.Options{Dir: dir, Env: []string{"LANG=C"}, Stdin: strings.NewReader("")}}
	want := map[string]string{"stdout": "", "stderr": "", "exit": "0\n"}
	for _, f := range archive.Files {
		if _, ok := want[f.Name]; ok {
			want[f.Name] = string(f.Data)
			continue
		}
		if r.entry == "" {
			r.entry = f.Name
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.configure(t, string(archive.Comment))
	if r.heavy && raceEnabled {
		t.Skip("takes too long under the race detector")
	}
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	code, err := r.do(ctx)
	if err != nil || ctx.Err() != nil {
		t.Errorf("Run: %v, %v\n%s\n%s", err, ctx.Err(), &r.stdout, &r.stderr)
	}
	got := map[string]string{"stdout": r.stdout.String(), "stderr": r.stderr.String(), "exit": strconv.Itoa(code) + "\n"}
	for name, text := range got {
		text = strings.ReplaceAll(text, dir, "$DIR")
		got[name] = strings.ReplaceAll(text, "(ekko-ipc:"+strconv.Itoa(os.Getpid())+")", "(ekko-ipc:PID)")
	}
	if *update {
		rewrite(t, file, archive, got)
		return
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s is\n%s\nwant\n%s", name, got[name], want[name])
		}
	}
}

func rewrite(t *testing.T, file string, archive *txtar.Archive, got map[string]string) {
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { _, ok := got[f.Name]; return ok })
	for _, name := range []string{"stdout", "stderr", "exit"} {
		if text := got[name]; text != "" && (name != "exit" || text != "0\n") {
			archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(text)})
		}
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run is one run of an app against the fake network.
type run struct {
	dir, entry     string
	options        script.Options
	net            *fakeNet
	stdout, stderr lockedBuffer
	triggers       []trigger
	heavy          bool
}

// trigger is what happens when a line appears on stdout.
type trigger struct {
	line   string
	signal os.Signal // nil: the context ends
}

func (r *run) configure(t *testing.T, comment string) {
	for line := range strings.Lines(comment) {
		word, rest, found := strings.Cut(strings.TrimSpace(line), ": ")
		if !found {
			continue
		}
		switch word {
		case "heavy":
			r.heavy = true
		case "args":
			r.options.Args = strings.Fields(rest)
		case "env":
			r.options.Env = append(r.options.Env, rest)
		case "stdin":
			r.options.Stdin = strings.NewReader(rest + "\n")
		case "memory":
			limit, err := strconv.ParseUint(rest, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			r.options.MemoryLimit = limit
		case "cancel":
			r.triggers = append(r.triggers, trigger{line: rest})
		case "signal":
			line, name, _ := strings.Cut(rest, " ")
			signals := map[string]os.Signal{"SIGINT": os.Interrupt, "SIGTERM": syscall.SIGTERM}
			if signals[name] == nil {
				t.Fatalf("no signal %q", name)
			}
			r.triggers = append(r.triggers, trigger{line: line, signal: signals[name]})
		}
	}
}

func (r *run) do(ctx context.Context) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals := make(chan os.Signal, 8)
	r.stdout.wrote = func(line string) {
		for _, t := range r.triggers {
			switch {
			case t.line != line:
			case t.signal == nil:
				cancel()
			default:
				signals <- t.signal
			}
		}
	}
	if r.net == nil {
		r.net = newFakeNet()
	}
	o := r.net.options(r.options)
	o.Stdout, o.Stderr, o.Signals = &r.stdout, &r.stderr, signals
	return script.Run(ctx, r.entry, o)
}

// lockedBuffer collects output and tells of each line.
type lockedBuffer struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote func(line string)
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Write(p)
	if b.wrote != nil {
		for line := range strings.Lines(string(p)) {
			b.wrote(strings.TrimSuffix(line, "\n"))
		}
	}
	return len(p), nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
