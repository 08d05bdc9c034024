package main

import (
	"os/exec"
	"syscall"
)

// endWithUs has the kernel end a process when we end, even if we are killed
// and can ask nobody to do anything. It holds as long as the thread that
// starts the process lives.
func endWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
