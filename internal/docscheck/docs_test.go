//go:build !race && !windows

// What is checked here runs in other processes: the race detector sees none of
// it, so once is enough.

package docscheck

import (
	"bytes"
	"context"
	"errors"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const root = "../.."

// pages are the Markdown files that make promises.
var pages = []string{"*.md", "docs/*.md", "docs/*/*.md", "spec/*.md", "examples/*/*.md", "js/*.md"}

func eachPage(t *testing.T, check func(t *testing.T, path, text string)) {
	for _, pattern := range pages {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := filepath.Rel(root, path)
			t.Run(name, func(t *testing.T) { check(t, path, string(text)) })
		}
	}
}

func blocksOf(t *testing.T, text string) []Block {
	t.Helper()
	blocks, err := Blocks(text)
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

func TestGo(t *testing.T) {
	eachPage(t, func(t *testing.T, _, text string) {
		for _, b := range blocksOf(t, text) {
			if b.Lang != "go" {
				continue
			}
			if strings.HasPrefix(b.Text, "package main") || strings.Contains(b.Text, "\npackage main") {
				vetProgram(t, b)
			} else if _, err := format.Source([]byte(b.Text)); err != nil && !strings.Contains(b.Text, "…") {
				t.Errorf("line %d: this is not Go: %v", b.Line, err)
			}
		}
	})
}

// vetProgram compiles and vets a program. A file named on the command line may
// lie anywhere: its imports are those of the module in whose folder go runs.
func vetProgram(t *testing.T, b Block) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(path, []byte(b.Text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "vet", path)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("line %d: %v\n%s", b.Line, err, out)
	}
}

func TestSessions(t *testing.T) {
	eachPage(t, func(t *testing.T, _, text string) {
		sessions, err := Sessions(blocksOf(t, text))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sessions {
			t.Run(s.Name, func(t *testing.T) { runSession(t, s) })
		}
	})
}

// tools is the folder of the ekko-ipc binary.
var tools string

func TestMain(m *testing.M) {
	var err error
	if tools, err = os.MkdirTemp("", "ekko-ipc-docs-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(tools)
	os.Exit(code)
}

// buildTool builds ekko-ipc, if any page has something to run.
var buildTool = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-o", filepath.Join(tools, "ekko-ipc"), "./cmd/ekko-ipc")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.New(string(out))
	}
	return nil
})

func runSession(t *testing.T, s *Session) {
	if err := buildTool(); err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: its long path would not leave room for a socket's name.
	dir, err := os.MkdirTemp("", "ekko-ipc-docs-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, sub := range []string{"home", "run", "work"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	work := filepath.Join(dir, "work")
	for name, text := range s.Files {
		if !filepath.IsLocal(name) {
			t.Fatalf("file %s lies outside the session's folder", name)
		}
		path := filepath.Join(work, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", s.Script)
	cmd.Dir = work
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "EKKO_IPC_ROOT="+here,
		"PATH="+tools+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+filepath.Join(dir, "home"), "EKKO_IPC_RUNTIME_DIR="+filepath.Join(dir, "run"),
		"EKKO_IPC_STATE_DIR="+filepath.Join(dir, "state"), "NO_COLOR=1")
	out, err := runGroup(cmd, time.Minute)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if want := s.Missing(out); want != "" {
		t.Errorf("the output lacks the line %q, or it comes too early:\n%s", want, out)
	}
}

// runGroup runs cmd and ends whatever it leaves behind. The output goes to a
// file: a pipe would stay open as long as anything left behind holds it.
func runGroup(cmd *exec.Cmd, limit time.Duration) (string, error) {
	f, err := os.CreateTemp("", "ekko-ipc-docs-")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	end := func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	late := time.AfterFunc(limit, end)
	err = cmd.Wait()
	if !late.Stop() {
		err = errors.Join(err, context.DeadlineExceeded)
	}
	end()
	text, failed := os.ReadFile(f.Name())
	return string(bytes.ToValidUTF8(text, []byte("?"))), errors.Join(err, failed)
}

func TestRunGroup(t *testing.T) {
	// The shell ends at once; what it left behind holds its output open.
	out, err := runGroup(exec.Command("sh", "-c", "sleep 1000 & echo started"), time.Minute)
	if out != "started\n" || err != nil {
		t.Errorf("output %q, error %v", out, err)
	}
	if _, err := runGroup(exec.Command("sleep", "1000"), 10*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error of a session that does not end: %v", err)
	}
}

var link = regexp.MustCompile(`\]\(([^)\s#]+)(?:#[^)\s]*)?\)`)

// TestLinks checks the links to files of the repository.
func TestLinks(t *testing.T) {
	eachPage(t, func(t *testing.T, path, text string) {
		for i, line := range strings.Split(text, "\n") {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				if strings.Contains(m[1], ":") { // another site
					continue
				}
				if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
					t.Error("line " + strconv.Itoa(i+1) + ": " + err.Error())
				}
			}
		}
	})
}
