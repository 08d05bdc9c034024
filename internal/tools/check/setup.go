package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// A need is a program that a step runs and that Go does not bring.
type need struct {
	command, debian, why string
	bench                bool // wanted by make bench too
}

var needs = []need{
	{"gcc", "gcc libc6-dev", "the race detector", false},
	{"git", "git", "the version of the binary", false},
	{"socat", "socat", "conversations by hand", false},
	{"node", "nodejs", "the JavaScript side, and peers of the benchmark", true},
	{"npm", "npm", "the JavaScript side, and peers of the benchmark", true},
	{"python3", "python3", "the example in another language", false},
	{"strace", "strace", "faults of the system", false},
	{"valgrind", "valgrind", "the instructions of a call", false},
	{"dbus-daemon", "dbus-daemon", "the D-Bus peer of the benchmark", true},
}

// setUp installs what is missing and says what it installs; for the benchmark
// alone that is less.
func setUp(ctx context.Context, r *runner) error {
	if err := installPrograms(ctx, r); err != nil {
		return err
	}
	if r.bench {
		return installPackages(ctx, r, []string{benchPackages})
	}
	for _, dir := range modules {
		fmt.Fprintf(r.out, "Go modules of ./%s\n", dir)
		if err := in(dir, "go", "mod", "download").quiet(ctx); err != nil {
			return err
		}
	}
	return nil
}

// npmPackages installs what the packages in JavaScript need.
func npmPackages(ctx context.Context, r *runner) error {
	return installPackages(ctx, r, packageDirs())
}

func missing(needs []need) (list []need) {
	for _, n := range needs {
		if _, err := exec.LookPath(n.command); err != nil {
			list = append(list, n)
		}
	}
	return list
}

func installPrograms(ctx context.Context, r *runner) error {
	wanted := needs
	if r.bench {
		wanted = slices.DeleteFunc(slices.Clone(needs), func(n need) bool { return !n.bench })
	}
	return r.install(ctx, wanted)
}

// install installs those programs that are missing, and says so.
func (r *runner) install(ctx context.Context, wanted []need) error {
	list := missing(wanted)
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
	if list := missing(wanted); len(list) > 0 {
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
	return append(dirs, benchPackages, compilers, bundlers)
}

// benchPackages is the folder of those peers of the benchmark that run in
// Node.
const benchPackages = "bench/node"

// compilers is the folder of the compilers that generated TypeScript is held
// to.
const compilers = "internal/gen/testdata/tsc"

// bundlers is the folder of the bundlers that the plugin of the npm package is
// tried with, and of what judges the package: apart, so that who works on the
// package alone need not install them.
const bundlers = "js/test/bundlers"

func installPackages(ctx context.Context, r *runner, dirs []string) error {
	for _, dir := range dirs {
		if err := npmInstall(ctx, r, dir); err != nil {
			return err
		}
	}
	return nil
}

// npmInstall runs npm ci where what is installed is older than the lock file.
func npmInstall(ctx context.Context, r *runner, dir string, flags ...string) error {
	want, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	have, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json"))
	if err == nil && !have.ModTime().Before(want.ModTime()) {
		return nil
	}
	fmt.Fprintf(r.out, "npm packages of ./%s\n", dir)
	return in(dir, append([]string{"npm", "ci", "--no-audit", "--no-fund"}, flags...)...).quiet(ctx)
}
