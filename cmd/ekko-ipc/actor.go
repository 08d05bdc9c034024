package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"github.com/ekkojs/ipc"
)

const (
	// readyTimeout is how long a service may take from its start to the line
	// that says that it is ready.
	readyTimeout = 30 * time.Second
	// endTimeout is how long a process may take to end after it was asked to.
	endTimeout = 10 * time.Second
)

// actor is a service that the demo has started.
type actor struct {
	name   string
	cmd    *exec.Cmd
	ready  chan struct{} // closed with the first line that it writes
	silent chan struct{} // closed at the end of its two streams, which is its own
}

// enter starts a service. Its lines are passed on to standard error, with its
// name before them.
func (d *demo) enter(ctx context.Context, name, program string, args ...string) error {
	// Not bound to ctx: end asks it to leave, after the app has.
	a := &actor{name: name, cmd: d.command(context.WithoutCancel(ctx), program, args...), ready: make(chan struct{}), silent: make(chan struct{})}
	stdout, err := a.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	stderr, err := a.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := a.cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	d.troupe = append(d.troupe, a)
	first := sync.OnceFunc(func() { close(a.ready) })
	var voices sync.WaitGroup
	voices.Go(func() { d.echo(a, stdout, first) })
	voices.Go(func() { d.echo(a, stderr, func() {}) })
	go func() {
		voices.Wait()
		close(a.silent)
	}()
	return nil
}

// echo passes the lines of a stream on until its end.
func (d *demo) echo(a *actor, stream io.Reader, first func()) {
	lines := bufio.NewScanner(stream)
	for lines.Scan() {
		d.say("[%s] %s", a.name, lines.Text())
		first()
	}
	io.Copy(io.Discard, stream) // a line too long for the scanner must not block it
}

// ready waits until each service has said its first line.
func (d *demo) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for _, a := range d.troupe {
		select {
		case <-a.ready:
		case <-a.silent:
			return fmt.Errorf("%s ended as soon as it was started", a.name)
		case <-ctx.Done():
			if err := signalled(ctx); err != nil {
				return err
			}
			return ipc.Errorf(ipc.CodeDeadlineExceeded, "%s is not ready after %s", a.name, readyTimeout)
		}
	}
	return nil
}

// end asks all services to leave, and waits for them. One that does not is
// killed, and that is an error: a service has to end on SIGTERM.
func (d *demo) end() error {
	if len(d.troupe) > 0 {
		d.step("ending the services")
	}
	var leaving sync.WaitGroup
	errs := make([]error, len(d.troupe))
	for i, a := range d.troupe {
		leaving.Go(func() { errs[i] = a.leave() })
	}
	leaving.Wait()
	return errors.Join(errs...)
}

func (a *actor) leave() error {
	if err := terminate(a.cmd.Process); err != nil {
		a.cmd.Process.Kill()
	}
	axe := time.AfterFunc(endTimeout, func() { a.cmd.Process.Kill() })
	<-a.silent // before Wait, which closes the streams
	err := a.cmd.Wait()
	if !axe.Stop() {
		return fmt.Errorf("%s did not end within %s and was killed", a.name, endTimeout)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 && exit.ExitCode() != exitTerminated {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	return nil
}
