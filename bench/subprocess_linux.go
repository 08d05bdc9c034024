package main

import (
	"os/exec"
	"runtime"
	"syscall"
)

// startWithUs starts a program that ends with this process.
func startWithUs(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the signal is sent at the end of the thread that started the program
		started <- cmd.Start()
		select {}
	}()
	return <-started
}
