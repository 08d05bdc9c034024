//go:build linux

// Package stage starts the processes of a torture and ends them.
package stage

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

// startPatience and endPatience bound how long a process may take to begin
// and to end. They are far longer than either takes.
const (
	startPatience = 20 * time.Second
	endPatience   = 20 * time.Second
)

// Process is one that Start has started.
type Process struct {
	Name   string
	Ended  chan struct{} // closed when it has ended
	Killed atomic.Bool   // by Kill

	cmd    *exec.Cmd
	stdin  io.Closer
	stderr bytes.Buffer // read when it has ended
	err    error        // how it ended; read when it has
}

// Start starts this very program again, with the text of role in the variable
// env. It ends, at the latest, when this process does. readied says that it is
// waited for until it writes "ready" to its standard output.
func Start(name, env string, role any, readied bool) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(role)
	if err != nil {
		return nil, err
	}
	p := &Process{Name: name, cmd: exec.Command(self), Ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env+"="+string(text),
		// The race detector would have each process wait for a second before
		// it ends, and there are hundreds of them.
		"GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	p.cmd.Stderr = &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also of one that is stopped
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		said <- line
		io.Copy(io.Discard, out)
		p.err = p.cmd.Wait()
		close(p.Ended)
	}()
	if !readied {
		return p, nil
	}
	t := time.AfterFunc(startPatience, p.Kill)
	defer t.Stop()
	if line := <-said; line != "ready\n" {
		p.Kill()
		<-p.Ended
		return nil, fmt.Errorf("%s did not start: it said %q, ended with %v, %s", name, line, p.err, p.stderr.String())
	}
	return p, nil
}

// Close tells the process that it is to end, by the end of its standard input.
func (p *Process) Close() { p.stdin.Close() }

// Signal sends a signal to the process, which may have ended.
func (p *Process) Signal(s syscall.Signal) { p.cmd.Process.Signal(s) }

// Kill ends the process at once. What it leaves undone is then no
// contradiction.
func (p *Process) Kill() {
	p.Killed.Store(true)
	p.Signal(syscall.SIGKILL)
}

// Wait waits until the process has ended by itself, and returns what it had
// to complain about.
func (p *Process) Wait() error {
	overdue := make(chan struct{})
	t := time.AfterFunc(endPatience, func() { close(overdue) })
	defer t.Stop()
	select {
	case <-p.Ended:
	case <-overdue:
		p.Signal(syscall.SIGQUIT) // its goroutines are in the complaint
		select {
		case <-p.Ended:
		case <-time.After(time.Second):
			p.Signal(syscall.SIGKILL)
			<-p.Ended
		}
		return fmt.Errorf("%s did not end: %s", p.Name, p.stderr.String())
	}
	return p.Complaint()
}

// Complaint is what is wrong with how a process ended.
func (p *Process) Complaint() error {
	switch {
	case p.stderr.Len() > 0: // also the race detector's report
		return fmt.Errorf("%s said: %s", p.Name, p.stderr.String())
	case p.err != nil && !p.Killed.Load():
		return errors.Join(fmt.Errorf("%s ended with", p.Name), p.err)
	}
	return nil
}
