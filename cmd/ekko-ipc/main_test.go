package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The sessions under testdata run these programs, each as a process of its
// own: ekko-ipc itself, and services for it to talk to.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ekko-ipc": main,
		"fixture":  fixture,
		"keeper":   keeper,
	})
}

func TestSessions(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUp,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":    status,
			"start":     start,
			"await":     await,
			"crash":     crash,
			"interrupt": interrupt,
			"finish":    finish,
			"jsonlines": jsonLines,
			"usego":     useGo,
		},
	})
}

// condition adds [race] to the conditions of the sessions.
func condition(name string) (bool, error) {
	if name == "race" {
		return raceEnabled, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// setUp gives each session a home, a folder for its sockets, and the manifest
// of the service "users" where it is found without being told.
func setUp(env *testscript.Env) error {
	// The folder of a socket has to have a short name, and that of the
	// session's files is long on some systems.
	sockets, err := os.MkdirTemp("", "ekko")
	if err != nil {
		return err
	}
	env.Defer(func() { os.RemoveAll(sockets) })
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	manifest, err := os.ReadFile(filepath.Join("testdata", "users.ekko.ipc.json"))
	if err != nil {
		return err
	}
	services := filepath.Join(env.WorkDir, "services")
	if err := os.MkdirAll(services, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(services, "users.ekko.ipc.json"), manifest, 0o600); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("USERPROFILE", home)
	env.Setenv("EKKO_IPC_RUNTIME_DIR", sockets)
	env.Setenv("EKKO_IPC_PATH", "")
	env.Setenv("NO_COLOR", "")
	env.Values[runningKey{}] = running{}
	return closeToOthers(env.WorkDir)
}

// closeToOthers takes the right to write from everybody else, whatever the
// umask: manifests that others may write are not trusted.
func closeToOthers(root string) error {
	return filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode().Perm()&^0o022)
	})
}

// status N program args… runs a program and checks its exit status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N program [args…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitStatusOf(ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func exitStatusOf(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// usego lets the session build programs from the clone that the test runs in,
// with what the user's cache holds already. $CLONE is the clone.
func useGo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: usego")
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY"} {
		value, err := exec.Command("go", "env", name).Output()
		ts.Check(err)
		ts.Setenv(name, strings.TrimSpace(string(value)))
	}
	clone, err := filepath.Abs(filepath.Join("..", ".."))
	ts.Check(err)
	ts.Setenv("CLONE", clone)
}

// jsonlines FILE [N] checks that each line of a file (or of stdout, stderr) is
// a JSON text, and that there are N lines, at least one without N.
func jsonLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: jsonlines FILE [N]")
	}
	text := ts.ReadFile(args[0])
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		if !json.Valid([]byte(line)) {
			ts.Fatalf("line %d is not JSON: %s", i+1, line)
		}
	}
	if len(args) == 2 && args[1] != strconv.Itoa(len(lines)) {
		ts.Fatalf("%d lines, want %s", len(lines), args[1])
	}
}

// session runs a command line within the test and returns what it wrote.
func session(t *testing.T, terminal bool, input string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, err bytes.Buffer
	c := newCLI(strings.NewReader(input), &out, &err)
	c.outTerminal, c.errTerminal = terminal, terminal
	status = c.run(t.Context(), args)
	return out.String(), err.String(), status
}
