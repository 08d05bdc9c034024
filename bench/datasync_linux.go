package main

import (
	"os"
	"syscall"
)

// dataSync returns when what was written is on the medium.
func dataSync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
