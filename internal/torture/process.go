//go:build linux

package torture

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

// process is one that Run has started.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr bytes.Buffer // read when it has ended
	ended  chan struct{}
	err    error // how it ended; read when it has
	killed atomic.Bool
}

// startProcess starts this very program again, as r. It ends, at the latest,
// when this process does.
func startProcess(name string, r role, readied bool) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: exec.Command(self), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), roleEnv+"="+string(text),
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
		close(p.ended)
	}()
	if !readied {
		return p, nil
	}
	t := time.AfterFunc(startPatience, p.kill)
	defer t.Stop()
	if line := <-said; line != "ready\n" {
		p.kill()
		<-p.ended
		return nil, fmt.Errorf("%s did not start: it said %q, ended with %v, %s", name, line, p.err, p.stderr.String())
	}
	return p, nil
}

// signal sends a signal to the process, which may have ended.
func (p *process) signal(s syscall.Signal) { p.cmd.Process.Signal(s) }

// kill ends the process at once. What it leaves undone is then no
// contradiction.
func (p *process) kill() {
	p.killed.Store(true)
	p.signal(syscall.SIGKILL)
}

// wait waits until the process has ended by itself, and returns what it had
// to complain about.
func (p *process) wait() error {
	overdue := make(chan struct{})
	t := time.AfterFunc(endPatience, func() { close(overdue) })
	defer t.Stop()
	select {
	case <-p.ended:
	case <-overdue:
		p.signal(syscall.SIGQUIT) // its goroutines are in the complaint
		select {
		case <-p.ended:
		case <-time.After(time.Second):
			p.signal(syscall.SIGKILL)
			<-p.ended
		}
		return fmt.Errorf("%s did not end: %s", p.name, p.stderr.String())
	}
	return p.complaint()
}

// complaint is what is wrong with how a process ended.
func (p *process) complaint() error {
	switch {
	case p.stderr.Len() > 0: // also the race detector's report
		return fmt.Errorf("%s said: %s", p.name, p.stderr.String())
	case p.err != nil && !p.killed.Load():
		return errors.Join(fmt.Errorf("%s ended with", p.name), p.err)
	}
	return nil
}
