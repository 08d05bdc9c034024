package main

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// runtimeFlag is --runtime: the name of a jsRuntime, or one of these.
type runtimeFlag string

const (
	runtimeEmbedded runtimeFlag = "embedded" // the engine that is compiled in
	runtimeAuto     runtimeFlag = "auto"     // what the script's project says
)

func runtimeNames() []string {
	names := []string{string(runtimeAuto), string(runtimeEmbedded)}
	for _, r := range jsRuntimes {
		names = append(names, r.name)
	}
	return names
}

func (f *runtimeFlag) String() string { return string(*f) }

func (f *runtimeFlag) Set(text string) error {
	if !slices.Contains(runtimeNames(), text) {
		return fmt.Errorf("want %s, got %q", strings.Join(runtimeNames(), ", "), text)
	}
	*f = runtimeFlag(text)
	return nil
}

func (f *runtimeFlag) Type() string { return "name" }

// jsPackage is the npm package whose hook makes an installed runtime
// understand ipc: imports.
const jsPackage = "@ekkojs/ipc"

// A jsRuntime is a program that runs JavaScript.
type jsRuntime struct {
	name  string
	title string
	// marks are the files that say that a project is meant for the runtime.
	marks []string
	// before are the arguments in front of the script, so that the hook is
	// there when the script's imports are looked up.
	before func(hook string) []string
	get    string // where to get it
}

// The runtimes, in the order in which their marks count within a folder:
// package.json is everybody's, and so says least.
var jsRuntimes = []jsRuntime{
	{"deno", "Deno", []string{"deno.json", "deno.jsonc", "deno.lock"},
		func(hook string) []string { return []string{"run", "--allow-all", "--preload", hook} }, "https://deno.com"},
	{"bun", "Bun", []string{"bunfig.toml", "bun.lock", "bun.lockb"},
		func(hook string) []string { return []string{"--preload", hook} }, "https://bun.sh"},
	{"node", "Node", []string{"package.json"},
		func(hook string) []string { return []string{"--import", fileURL(hook)} }, "https://nodejs.org"},
}

// An installation is a runtime that can run a script.
type installation struct {
	jsRuntime
	program string // the path of the program
	hook    string // the path of the module that the package has for it
	file    string // the script
}

// command is the command line, as os/exec and the system take it.
func (i *installation) command(args []string) []string {
	return append(append(append([]string{i.name}, i.before(i.hook)...), i.file), args...)
}

// install finds what it takes to run file in the runtime, or says what is
// missing.
func (r jsRuntime) install(file string) (*installation, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	program, err := exec.LookPath(r.name)
	if err != nil {
		return nil, hint(fmt.Errorf("no program %q is in PATH", r.name),
			"get "+r.title+": "+r.get, "or run it without: ekko-ipc run --runtime embedded "+file)
	}
	hook, err := findHook(file)
	if err != nil {
		return nil, err
	}
	if r.name == "node" && isTypeScript(file) {
		if err := stripsTypes(program, file); err != nil {
			return nil, err
		}
	}
	return &installation{r, program, hook, file}, nil
}

// findHook looks for the package where the runtimes do: in node_modules beside
// the script and above it, whatever links lead to the script.
func findHook(file string) (string, error) {
	actual, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	for dir := range above(actual) {
		hook := filepath.Join(dir, "node_modules", filepath.FromSlash(jsPackage), "register.js")
		if _, err := os.Stat(hook); err == nil {
			return hook, nil
		}
	}
	dir := filepath.Dir(actual)
	return "", hint(fmt.Errorf("the package %s is not installed for %s: there is no node_modules/%s in %s or above", jsPackage, file, jsPackage, dir),
		"cd "+dir+" && npm install "+jsPackage, "or run it without: ekko-ipc run --runtime embedded "+file)
}

// above yields the folder of a file and all folders above that.
func above(file string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for dir := filepath.Dir(file); yield(dir) && dir != filepath.Dir(dir); {
			dir = filepath.Dir(dir)
		}
	}
}

// chooseRuntime is what auto means: the nearest folder with a mark says whose
// project it is. Nil is the embedded runtime, which needs nothing; why is for
// those who wonder.
func chooseRuntime(file string) (chosen *installation, why string) {
	r, mark := markedRuntime(file)
	if mark == "" {
		return nil, "no project around the script says otherwise"
	}
	chosen, err := r.install(file)
	if err != nil {
		return nil, fmt.Sprintf("%s is for %s, but %v", mark, r.title, err)
	}
	return chosen, "for " + mark
}

func markedRuntime(file string) (r jsRuntime, mark string) {
	actual, err := filepath.EvalSymlinks(file)
	if err == nil {
		actual, err = filepath.Abs(actual)
	}
	if err != nil {
		return r, ""
	}
	for dir := range above(actual) {
		for _, r := range jsRuntimes {
			for _, mark := range r.marks {
				if info, err := os.Stat(filepath.Join(dir, mark)); err == nil && info.Mode().IsRegular() {
					return r, filepath.Join(dir, mark)
				}
			}
		}
	}
	return r, ""
}

func isTypeScript(file string) bool {
	return slices.Contains([]string{".ts", ".mts", ".cts"}, filepath.Ext(file))
}

// nodeVersion is what node --version prints.
var nodeVersion = regexp.MustCompile(`^v(\d+)\.(\d+)\.`)

// stripsTypes fails for a Node that does not run TypeScript by itself.
func stripsTypes(program, file string) error {
	text, err := exec.Command(program, "--version").Output()
	if err != nil {
		return fmt.Errorf("%s --version: %w", program, err)
	}
	m := nodeVersion.FindStringSubmatch(string(text))
	if m == nil {
		return nil // let it try
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	if major > 23 || major == 23 && minor >= 6 || major == 22 && minor >= 18 {
		return nil
	}
	return hint(fmt.Errorf("TypeScript does not run in Node %s", strings.TrimSpace(string(text))),
		"get Node 22.18 or later: https://nodejs.org", "or run it without: ekko-ipc run --runtime embedded "+file)
}

// fileURL writes a path as --import wants it, which takes no paths on Windows.
func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// installed returns what runs a script in the runtime of that name; nil for
// the embedded one.
func (c *cli) installed(in runtimeFlag, file string) (*installation, error) {
	switch in {
	case runtimeEmbedded:
		return nil, nil
	case runtimeAuto:
		chosen, why := chooseRuntime(file)
		if chosen == nil {
			c.detail("runs in the embedded runtime: %s", why)
		} else {
			c.detail("runs in %s: %s", chosen.title, why)
		}
		return chosen, nil
	}
	i := slices.IndexFunc(jsRuntimes, func(r jsRuntime) bool { return r.name == string(in) })
	chosen, err := jsRuntimes[i].install(file)
	if err != nil {
		return nil, &usageError{err: err}
	}
	return chosen, nil
}

// runIn runs the script in a runtime that somebody installed. What this
// program would have to do for it, it cannot.
func (c *cli) runIn(i *installation, args []string, flags *pflag.FlagSet) error {
	for _, name := range []string{"timeout", "trace", "state"} {
		if flags.Changed(name) {
			return &usageError{err: fmt.Errorf("--%s is for the embedded runtime, and %s is to run the script: leave it out, or say --runtime embedded", name, i.title)}
		}
	}
	line := i.command(args)
	c.detail("%s", strings.Join(append([]string{i.program}, line[1:]...), " "))
	return become(i.program, line)
}
