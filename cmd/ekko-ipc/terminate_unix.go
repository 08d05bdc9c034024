//go:build unix

package main

import (
	"os"
	"syscall"
)

// exeSuffix is how the name of a program ends.
const exeSuffix = ""

// terminate asks a process to end.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
