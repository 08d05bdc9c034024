package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A command is one program to run in a folder of the repository.
type command struct {
	dir  string   // "" is the root
	env  []string // beside our own
	args []string
}

func inRoot(args ...string) command         { return command{args: args} }
func in(dir string, args ...string) command { return command{dir: dir, args: args} }
func (c command) with(env ...string) command {
	c.env = append(c.env[:len(c.env):len(c.env)], env...)
	return c
}

func (c command) String() string {
	words := append(append([]string(nil), c.env...), c.args...)
	if c.dir != "" {
		words = append([]string{"cd " + c.dir + " &&"}, words...)
	}
	return strings.Join(words, " ")
}

// start prepares the program: no standard input, and a process group of its
// own, so that whatever it started ends with it when ctx does.
func (c command) start(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), c.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// quiet runs the program; what it printed is part of the error if it fails,
// and gone if it does not.
func (c command) quiet(ctx context.Context) error {
	text, err := c.output(ctx)
	if err != nil {
		return fmt.Errorf("%s%s: %w", ensureNewline(text), c, err)
	}
	return nil
}

// output runs the program and returns all that it printed.
func (c command) output(ctx context.Context) (string, error) {
	text, err := c.start(ctx).CombinedOutput()
	return string(text), err
}

// lines runs the program and gives each line of its standard output to use;
// what it says on standard error is returned.
func (c command) lines(ctx context.Context, use func([]byte)) (stderr string, err error) {
	cmd := c.start(ctx)
	var said bytes.Buffer
	w := &lineWriter{use: use}
	cmd.Stdout, cmd.Stderr = w, &said
	err = cmd.Run()
	w.flush()
	return said.String(), err
}

// A lineWriter cuts what is written into lines.
type lineWriter struct {
	rest []byte
	use  func([]byte)
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		w.use(w.rest[:i])
		w.rest = w.rest[i+1:]
	}
}

func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.use(w.rest)
		w.rest = nil
	}
}

func ensureNewline(s string) string {
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}
