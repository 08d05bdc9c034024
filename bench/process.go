package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A process is a child, seen from the program that started it.
type process struct {
	name string
	role string
	cmd  *exec.Cmd
	in   io.WriteCloser
	enc  *json.Encoder
	dec  *json.Decoder
}

// startProcess starts the peer's program in the given role and returns when
// the child is ready, with what it says.
func startProcess(p *peer, role, dir, addr string) (*process, answer, error) {
	program, err := executable(p.program)
	if err != nil {
		return nil, answer{}, err
	}
	return launch(program, p.name, role, dir, addr)
}

// launch starts a program as the child of that name in that role.
func launch(program []string, name, role, dir, addr string) (_ *process, _ answer, err error) {
	args := append(program[1:], role, name, dir, addr)
	c := &process{name: name + " " + role, role: role, cmd: exec.Command(program[0], args...)}
	c.cmd.Stderr = os.Stderr
	c.cmd.Env = append(os.Environ(), "EKKO_IPC_RUNTIME_DIR="+dir)
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, answer{}, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, answer{}, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, answer{}, err
	}
	c.enc, c.dec = json.NewEncoder(c.in), json.NewDecoder(out)
	a, err := c.answer(patience)
	if err != nil {
		c.stop()
		return nil, answer{}, err
	}
	return c, a, nil
}

// programs is the folder of the programs that have one peer each; "" if there
// are none.
var programs string

// executable is the program of a peer, so that its memory is its own; or
// this one, which is the same with all the other peers in it. The role and
// the rest are put behind it.
func executable(program string) (args []string, err error) {
	var exe string
	switch {
	case program == "":
		return nodeChild()
	case programs != "":
		exe, err = filepath.Abs(filepath.Join(programs, program))
	default:
		exe, err = os.Executable()
	}
	return []string{exe, "child"}, err
}

// patience is how long a child may take for an order beyond the time that the
// order itself names. A child that takes longer is ended.
const patience = 60 * time.Second

func (c *process) do(o order) (answer, error) {
	if err := c.enc.Encode(o); err != nil {
		return answer{}, fmt.Errorf("%s: %w", c.name, err)
	}
	return c.answer(o.For + patience)
}

func (c *process) answer(within time.Duration) (a answer, err error) {
	late := time.AfterFunc(within, func() { c.cmd.Process.Kill() })
	defer late.Stop()
	if err := c.dec.Decode(&a); err != nil {
		return a, fmt.Errorf("%s gives no answer: %w", c.name, err)
	}
	if a.Err != "" {
		return a, fmt.Errorf("%s: %s", c.name, a.Err)
	}
	return a, nil
}

// stop ends the child: by the end of its input, and if that is not heard, by
// its process id.
func (c *process) stop() {
	c.in.Close()
	late := time.AfterFunc(2*time.Second, func() { c.cmd.Process.Kill() })
	defer late.Stop()
	c.cmd.Wait()
}

// A stage is one peer with all its processes running.
type stage struct {
	peer    *peer
	version string // of the peer; empty for this repository and the standard library
	client  *process
	servers []*process // the service, and the broker if there is one
	addr    string     // what the client dials
}

// setStage starts the processes of p, with their sockets in a folder of their
// own under dir.
func setStage(p *peer, dir string) (*stage, error) {
	dir, err := os.MkdirTemp(dir, "")
	if err != nil {
		return nil, err
	}
	s := &stage{peer: p}
	if err := s.start(dir); err != nil {
		s.strike()
		return nil, err
	}
	return s, nil
}

func (s *stage) start(dir string) error {
	addr := ""
	for _, role := range []string{roleBroker, roleServe} {
		if role == roleBroker && s.peer.broker == nil {
			continue
		}
		c, a, err := startProcess(s.peer, role, dir, addr)
		if err != nil {
			return err
		}
		s.servers, addr = append(s.servers, c), a.Addr
	}
	client, a, err := startProcess(s.peer, roleClient, dir, addr)
	if err != nil {
		return err
	}
	s.client, s.version, s.addr = client, a.Version, addr
	return nil
}

// strike ends all processes of the stage, the client first.
func (s *stage) strike() {
	if s.client != nil {
		s.client.stop()
	}
	for _, c := range s.servers {
		c.stop()
	}
}

// ask gives the same order to several processes and adds up what they use.
func ask(o order, processes ...*process) (sum usage, err error) {
	for i, c := range processes {
		a, failed := c.do(o)
		err = errors.Join(err, failed)
		if i == 0 {
			sum = a.Usage
		} else {
			sum = sum.plus(a.Usage)
		}
	}
	return sum, err
}

func (s *stage) everyone() []*process { return append([]*process{s.client}, s.servers...) }
