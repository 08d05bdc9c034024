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
	cmd  *exec.Cmd
	in   io.WriteCloser
	enc  *json.Encoder
	dec  *json.Decoder
}

// startProcess starts this program again in the given role and returns when
// the child is ready, with the address it says.
func startProcess(p *peer, role, dir, addr string) (*process, string, error) {
	exe, err := p.executable()
	if err != nil {
		return nil, "", err
	}
	c := &process{name: p.name + " " + role, cmd: exec.Command(exe, "child", role, p.name, dir, addr)}
	c.cmd.Stderr = os.Stderr
	c.cmd.Env = append(os.Environ(), "EKKO_IPC_RUNTIME_DIR="+dir)
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, "", err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, "", err
	}
	c.enc, c.dec = json.NewEncoder(c.in), json.NewDecoder(out)
	a, err := c.answer(patience)
	if err != nil {
		c.stop()
		return nil, "", err
	}
	return c, a.Addr, nil
}

// programs is the folder of the programs that have one peer each; "" if there
// are none.
var programs string

// executable is the program of the peer, so that its memory is its own; or
// this one, which is the same with all the other peers in it.
func (p *peer) executable() (string, error) {
	if programs != "" {
		return filepath.Abs(filepath.Join(programs, p.program))
	}
	return os.Executable()
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
		s.servers, addr = append(s.servers, c), a
	}
	var err error
	s.addr = addr
	s.client, _, err = startProcess(s.peer, roleClient, dir, addr)
	return err
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
	for _, c := range processes {
		a, failed := c.do(o)
		err = errors.Join(err, failed)
		sum.add(a.Usage)
	}
	return sum, err
}

func (s *stage) everyone() []*process { return append([]*process{s.client}, s.servers...) }
