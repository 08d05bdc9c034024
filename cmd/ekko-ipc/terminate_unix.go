//go:build unix

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// exeSuffix is how the name of a program ends.
const exeSuffix = ""

// terminate asks a process to end.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// outliveReader returns a context that ends when whoever reads our output
// leaves, as head does. By itself that would kill the process, and what it has
// started would stay behind.
//
// The goroutine ends with the context.
func outliveReader(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	left := make(chan os.Signal, 1)
	signal.Notify(left, syscall.SIGPIPE)
	go func() {
		select {
		case <-left:
			cancel(errTerminated)
		case <-ctx.Done():
		}
	}()
	// The signal stays caught: what is said at the end has no reader either.
	return ctx, func() { cancel(nil) }
}

// become puts a program in the place of this one: signals and the exit status
// are its own then, and nobody stands in between. It returns only if that
// fails.
func become(program string, line []string) error {
	// What was ignored before anybody listened, as nohup has it, is again.
	signal.Reset()
	return syscall.Exec(program, line, os.Environ())
}
