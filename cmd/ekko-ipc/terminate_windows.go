package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// exeSuffix is how the name of a program ends.
const exeSuffix = ".exe"

// terminate ends a process. There is no signal that would ask it to.
func terminate(p *os.Process) error { return p.Kill() }

// outliveReader returns parent: writing to nobody kills no process here.
func outliveReader(parent context.Context) (ctx context.Context, stop func()) {
	return parent, func() {}
}

// become runs a program with the streams of this one, and returns what it ended
// with. There is no way to put it in the place of this one.
func become(program string, line []string) error {
	cmd := exec.Command(program, line[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// Ctrl-C goes to both, and is for the program to answer.
	signal.Ignore(os.Interrupt)
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return statusError(exit.ExitCode())
	}
	return err
}
