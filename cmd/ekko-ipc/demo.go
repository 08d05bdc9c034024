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
	"time"

	"github.com/spf13/cobra"
)

// modulePath is how the clone is recognised that demo runs in.
const modulePath = "github.com/ekkojs/ipc"

func (c *cli) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "demo",
		Short:   "Build and start the examples, and show what they say to each other",
		GroupID: groupRun,
		Long: `Build and start the examples of the repository as processes of their own, run
the example app, and show each message that crosses its sockets. It needs a
clone of the repository to be the working directory, and Go; with Python there
it calls a service in Python too.

The sockets and what is built go into a private folder, which is removed, and
the processes end with the demo.`,
		Example: `  git clone https://github.com/ekkojs/ipc && cd ipc && make demo
  ekko-ipc demo -q          # only what the app prints`,
		Args:              needs(0, 0, "demo"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.demo(cmd.Context()) },
	}
}

// demoTimeout bounds the whole of it. Most goes into the first build, on a
// machine that has compiled nothing yet.
const demoTimeout = 10 * time.Minute

// demo is one performance.
type demo struct {
	*cli
	self    string // the path of this program
	clone   string // of the repository
	private string // sockets and programs; removed at the end
	troupe  []*actor
}

func (c *cli) demo(ctx context.Context) (err error) {
	ctx, cancel := c.deadline(ctx, demoTimeout)
	defer cancel()
	ctx, stop := outliveReader(ctx)
	defer stop()
	// Children that end with this process, whatever ends it, may be bound to
	// the thread that starts them.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	d := &demo{cli: c}
	if d.clone, err = findClone(); err != nil {
		return err
	}
	if d.self, err = os.Executable(); err != nil {
		return err
	}
	if d.private, err = os.MkdirTemp("", "ekko-demo"); err != nil {
		return err
	}
	defer os.RemoveAll(d.private)
	if err := d.copyManifests(); err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, d.end()); signalled(ctx) != nil {
			err = signalled(ctx)
		}
	}()
	if err := d.start(ctx); err != nil {
		return err
	}
	if err := d.app(ctx); err != nil {
		return err
	}
	return d.python(ctx)
}

// findClone returns the folder of the repository, at or above the working
// directory.
func findClone() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		module, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(module), "module "+modulePath+"\n") {
			return dir, nil
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", &usageError{err: hint(
				errors.New("demo runs the examples of the repository, and this is no clone of it"),
				"git clone https://"+modulePath+" && cd ipc && make demo")}
		}
		dir = above
	}
}

// start builds what has to be built, and starts the services side by side.
func (d *demo) start(ctx context.Context) error {
	d.step("building the service in Go: examples/database-service")
	database := filepath.Join(d.private, "database-service"+exeSuffix)
	build := d.command(ctx, "go", "build", "-o", database, "./examples/database-service")
	if output, err := build.CombinedOutput(); err != nil {
		return hint(fmt.Errorf("go build: %w\n%s", err, output), "demo needs Go: https://go.dev/dl")
	}
	d.step("starting the services, each a process of its own")
	if err := d.enter(ctx, "database-service", database); err != nil {
		return err
	}
	script := filepath.Join(d.clone, "examples", "notification-service", "service.ts")
	if err := d.enter(ctx, "notification-service", d.self, "run", script); err != nil {
		return err
	}
	return d.ready(ctx)
}

// app runs the example app and narrates what crosses its sockets.
func (d *demo) app(ctx context.Context) error {
	d.step("running examples/app/app.ts")
	args := []string{"run"}
	if !d.quiet {
		args = append(args, "--trace", "--color="+string(d.childColor()))
	}
	app := d.command(ctx, d.self, append(args, filepath.Join(d.clone, "examples", "app", "app.ts"))...)
	app.Stdout, app.Stderr = d.stdout, d.stderr
	if err := app.Run(); err != nil {
		return fmt.Errorf("examples/app/app.ts: %w", err)
	}
	return nil
}

// python calls a service in Python, if there is a Python to run it.
func (d *demo) python(ctx context.Context) error {
	interpreter, err := exec.LookPath("python3")
	if err != nil {
		d.step("left out: examples/python-service, since there is no python3 here")
		return nil
	}
	d.step("calling a service in Python: examples/python-service")
	script := filepath.Join(d.clone, "examples", "python-service", "service.py")
	if err := d.enter(ctx, "python-service", interpreter, "-u", "-B", script); err != nil {
		return err
	}
	if err := d.ready(ctx); err != nil {
		return err
	}
	d.say("$ ekko-ipc call python-service.describe '[1,2,3,4]'")
	call := d.command(ctx, d.self, "call", "python-service.describe", "[1,2,3,4]")
	call.Stdout, call.Stderr = d.stdout, d.stderr
	if err := call.Run(); err != nil {
		return fmt.Errorf("examples/python-service: %w", err)
	}
	return nil
}

// command prepares a process that sees the demo's sockets and manifests, and
// no others. It gets SIGTERM when ctx ends, not the axe.
func (d *demo) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = d.clone
	cmd.Env = append(os.Environ(),
		"EKKO_IPC_RUNTIME_DIR="+d.private,
		pathVariable+"="+d.manifests())
	endWithUs(cmd)
	cmd.Cancel = func() error { return terminate(cmd.Process) }
	cmd.WaitDelay = endTimeout
	return cmd
}

// copyManifests puts the manifests of the examples where only we can write.
// In a clone perhaps the group can too, as many systems have it by default,
// and such a manifest is not trusted.
func (d *demo) copyManifests() error {
	files, err := filepath.Glob(filepath.Join(d.clone, "examples", "*", "*.ekko.ipc.json"))
	if err != nil {
		return err
	}
	if err := os.Mkdir(d.manifests(), 0o700); err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(d.manifests(), filepath.Base(file)), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) manifests() string { return filepath.Join(d.private, "manifests") }

// childColor tells a child that writes to our own standard error what we
// found out about it.
func (d *demo) childColor() colorFlag {
	if bool(d.err()) {
		return colorAlways
	}
	return colorNever
}

// step announces an act, say what happens in it.
func (d *demo) step(text string) {
	if !d.quiet {
		fmt.Fprintln(d.stderr, d.err().bold("▸ "+text))
	}
}

func (d *demo) say(format string, args ...any) { d.note("  "+format, args...) }
