package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// The packages whose tests run as Windows programs: those that meet the system
// or rest on one that does.
var windowsPackages = []string{
	"./transport", "./internal/onwindows",
	"./wire", "./manifest", "./auth", "./store", "./internal/session", "./internal/endpoint", "./internal/hub", "./internal/registry", ".",
}

// The programs that those tests start, by the folders they are built from.
var windowsPrograms = map[string]string{
	"ekko-ipc.exe":         "./cmd/ekko-ipc",
	"database-service.exe": "./examples/database-service",
}

// notUnderWine talks to Node through a pipe of its own, though Node under Wine
// writes to files only; or it keeps all processors busy and has an eye on the
// clock, which under Wine says nothing of Windows.
const notUnderWine = "^(TestJ01_SameInNode|TestComputingHandlersAllEnd|Test(Facts)?TLS.*)$"

// windowsNode is the folder of the npm package that Node for Windows comes in.
const windowsNode = "internal/onwindows/node"

// windows runs tests as Windows programs, under Wine. The prefix, which is
// what Wine takes for a disk, lives in the build folder, and the server
// behind it ends with the step.
func windows(ctx context.Context, r *runner) error {
	if !wineRuns() {
		fmt.Fprintln(r.out, "Wine runs Windows programs on linux/amd64 only: left out here")
		return nil
	}
	if err := r.install(ctx, []need{{"wine", "wine wine64", "programs for Windows", false}}); err != nil {
		return err
	}
	if err := npmInstall(ctx, r, windowsNode, "--force", "--ignore-scripts"); err != nil { // force: it is not for this system
		return err
	}
	w, err := startWine(ctx)
	if err != nil {
		return err
	}
	defer w.end()
	for name, dir := range windowsPrograms {
		out := filepath.Join(".build", "windows", name)
		if err := w.asWindows(inRoot("go", "build", "-o", out, dir)).quiet(ctx); err != nil {
			return err
		}
	}
	return w.goTest(ctx, r, append([]string{"-p", "1"}, windowsPackages...)...)
}

// wineRuns reports whether Wine can run what is compiled here for Windows.
func wineRuns() bool { return runtime.GOOS == "linux" && runtime.GOARCH == "amd64" }

// goTest runs tests as Windows programs, and shows which facts are true of the
// transports that are there. They are compiled side by side, and run one after
// the other: some have an eye on the clock.
func (w *wine) goTest(ctx context.Context, r *runner, args ...string) error {
	overlay := []string{"-overlay", w.overlay, "-exec"}
	compile := slices.Concat([]string{"go", "test"}, overlay, []string{"true", "-run", "^$"}, packagesOf(args))
	if err := w.asWindows(inRoot(compile...)).quiet(ctx); err != nil {
		return err
	}
	return r.showFacts("under Wine", func() error {
		return r.goTest(ctx, w.asWindows(inRoot(slices.Concat(overlay, []string{"wine", "-skip", notUnderWine}, args)...)))
	})
}

// packagesOf leaves flags out.
func packagesOf(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(a string) bool { return !strings.HasPrefix(a, ".") })
}

// wine is a Windows that is made for the tests.
type wine struct {
	prefix  string // the folder of its disk
	overlay string // what go test compiles instead of some files of Go's
}

// startWine makes one and starts it; it ends by end.
func startWine(ctx context.Context) (*wine, error) {
	w, err := newWine()
	if err == nil {
		err = w.prepare(ctx)
	}
	if err != nil && w != nil {
		w.end()
	}
	return w, err
}

func newWine() (*wine, error) {
	dir, err := filepath.Abs(filepath.Join(".build", "wine"))
	if err != nil {
		return nil, err
	}
	return &wine{prefix: filepath.Join(dir, "prefix"), overlay: filepath.Join(dir, "overlay.json")}, os.MkdirAll(dir, 0o755)
}

// in returns c as a user of this Wine.
func (w *wine) in(c command) command {
	return c.with("WINEPREFIX="+w.prefix, "WINEARCH=win64", "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree=;mshtml=;winemenubuilder.exe=")
}

// asWindows returns a go command whose output is for Windows.
func (w *wine) asWindows(c command) command {
	return w.in(c).with("GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
}

// prepare makes of the prefix a Windows 10 that Go programs start on.
func (w *wine) prepare(ctx context.Context) error {
	system := filepath.Join(w.prefix, "drive_c", "windows", "system32")
	if err := os.MkdirAll(w.prefix, 0o700); err != nil {
		return err
	}
	for _, c := range []command{
		inRoot("wineserver", "--persistent"), // or it would come and go with each program
		inRoot("wineboot", "--init"),
		inRoot("wine", "reg", "add", `HKCU\Software\Wine`, "/v", "Version", "/d", "win10", "/f"),
	} {
		if err := w.run(ctx, c); err != nil {
			return err
		}
	}
	// Wine 8 has this function under another name only.
	prng := forwardingDLL("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036")
	if err := os.WriteFile(filepath.Join(system, "bcryptprimitives.dll"), prng, 0o644); err != nil {
		return err
	}
	return w.writeOverlay()
}

// run runs a program that leaves others behind: they would hold a pipe open,
// so that what they print goes to a file.
func (w *wine) run(ctx context.Context, c command) error {
	said, err := os.CreateTemp(filepath.Dir(w.prefix), "said-")
	if err != nil {
		return err
	}
	defer os.Remove(said.Name())
	defer said.Close()
	cmd := w.in(c).start(ctx)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(said.Name())
		return fmt.Errorf("%s%s: %w", ensureNewline(string(text)), c, err)
	}
	return nil
}

// writeOverlay lets Go's own library remove files in the way that older
// versions of Windows know: Wine 8 answers the newer one with a code that the
// library does not expect, and no temporary folder could be removed.
func (w *wine) writeOverlay() error {
	source := filepath.Join(build.Default.GOROOT, "src", "internal", "syscall", "windows", "at_windows.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	const fallback = "var TestDeleteatFallback bool"
	changed := bytes.Replace(text, []byte(fallback), []byte("var TestDeleteatFallback = true"), 1)
	if bytes.Equal(changed, text) {
		return fmt.Errorf("%s has no %q", source, fallback)
	}
	instead := filepath.Join(filepath.Dir(w.overlay), "at_windows.go")
	if err := os.WriteFile(instead, changed, 0o644); err != nil {
		return err
	}
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{source: instead}})
	if err != nil {
		return err
	}
	return os.WriteFile(w.overlay, list, 0o644)
}

// end ends the server of this prefix, and with it whatever still runs there.
func (w *wine) end() {
	for _, flag := range []string{"-k", "-w"} {
		w.run(context.Background(), inRoot("wineserver", flag))
	}
}
