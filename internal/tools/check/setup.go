package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// A need is a program that a step runs and that Go does not bring.
type need struct{ command, debian, why string }

var needs = []need{
	{"gcc", "gcc libc6-dev", "the race detector"},
	{"git", "git", "the version of the binary"},
	{"socat", "socat", "conversations by hand"},
	{"node", "nodejs", "the JavaScript side"},
	{"npm", "npm", "the JavaScript side"},
	{"python3", "python3", "the example in another language"},
	{"strace", "strace", "faults of the system"},
	{"valgrind", "valgrind", "the instructions of a call"},
}

// setUp installs what is missing and says what it installs.
func setUp(ctx context.Context, r *runner) error {
	if err := installPrograms(ctx, r); err != nil {
		return err
	}
	for _, dir := range modules {
		fmt.Fprintf(r.out, "Go modules of ./%s\n", dir)
		if err := in(dir, "go", "mod", "download").quiet(ctx); err != nil {
			return err
		}
	}
	return installPackages(ctx, r)
}

func missing() (list []need) {
	for _, n := range needs {
		if _, err := exec.LookPath(n.command); err != nil {
			list = append(list, n)
		}
	}
	return list
}

func installPrograms(ctx context.Context, r *runner) error {
	list := missing()
	if len(list) == 0 {
		return nil
	}
	var packages []string
	for _, n := range list {
		fmt.Fprintf(r.out, "missing: %s, for %s\n", n.command, n.why)
		packages = append(packages, strings.Fields(n.debian)...)
	}
	if runtime.GOOS != "linux" {
		fmt.Fprintln(r.out, "tests that want them are skipped")
		return nil
	}
	as, err := administrator()
	if err != nil {
		return fmt.Errorf("%w; install it yourself: apt-get install %s", err, strings.Join(packages, " "))
	}
	fmt.Fprintf(r.out, "installing the Debian packages %s\n", strings.Join(packages, " "))
	env := "DEBIAN_FRONTEND=noninteractive"
	for _, args := range [][]string{{"update"}, append([]string{"install", "-y", "--no-install-recommends"}, packages...)} {
		if err := inRoot(append(as, append([]string{"env", env, "apt-get", "-qq"}, args...)...)...).quiet(ctx); err != nil {
			return err
		}
	}
	if list := missing(); len(list) > 0 {
		return fmt.Errorf("%s is still missing", list[0].command)
	}
	return nil
}

// administrator returns what to put before a command that root has to run.
func administrator() ([]string, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, errors.New("there is no apt-get here")
	}
	if os.Geteuid() == 0 {
		return nil, nil
	}
	if exec.Command("sudo", "-n", "true").Run() == nil {
		return []string{"sudo", "-n"}, nil
	}
	return nil, errors.New("not root, and sudo wants a password or is not there")
}

// packageDirs are the folders with a package.json and a lock file of their
// own.
func packageDirs() (dirs []string) {
	locks, _ := filepath.Glob("*/package-lock.json")
	for _, lock := range locks {
		dirs = append(dirs, filepath.Dir(lock))
	}
	return dirs
}

// installPackages runs npm ci where what is installed is older than the lock
// file.
func installPackages(ctx context.Context, r *runner) error {
	for _, dir := range packageDirs() {
		want, err := os.Stat(filepath.Join(dir, "package-lock.json"))
		if err != nil {
			return err
		}
		have, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json"))
		if err == nil && !have.ModTime().Before(want.ModTime()) {
			continue
		}
		fmt.Fprintf(r.out, "npm packages of ./%s\n", dir)
		if err := in(dir, "npm", "ci", "--no-audit", "--no-fund").quiet(ctx); err != nil {
			return err
		}
	}
	return nil
}
