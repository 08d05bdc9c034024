package main

import (
	"context"
	"os"
)

// exeSuffix is how the name of a program ends.
const exeSuffix = ".exe"

// terminate ends a process. There is no signal that would ask it to.
func terminate(p *os.Process) error { return p.Kill() }

// outliveReader returns parent: writing to nobody kills no process here.
func outliveReader(parent context.Context) (ctx context.Context, stop func()) {
	return parent, func() {}
}
