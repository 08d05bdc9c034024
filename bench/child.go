package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"
)

// The program starts itself with these arguments to be one of the processes of
// a peer:
//
//	bench child ROLE PEER DIR ADDR
//
// A child reads orders from its standard input, one JSON value after the
// other, and answers each on its standard output. It ends with its input, so
// that none of them outlives the program that started it.
const (
	roleBroker = "broker"
	roleServe  = "serve"
	roleClient = "client"
)

// An order is what a child is told to do.
type order struct {
	Do      string        `json:"do"` // "usage", "settle", "load", "idle" or "drop"
	Callers int           `json:"callers,omitempty"`
	For     time.Duration `json:"for,omitempty"`
	Conns   int           `json:"conns,omitempty"`
}

// An answer is what a child says when it is ready, and after each order.
type answer struct {
	Err   string `json:"err,omitempty"`
	Addr  string `json:"addr,omitempty"`
	Usage usage  `json:"usage"`
	Load  load   `json:"load"`
}

// A usage is what one process, or several together, have used.
type usage struct {
	CPU float64 `json:"cpu"` // seconds since the start
	RSS int64   `json:"rss"` // KiB now
}

func (u *usage) add(o usage) {
	u.CPU += o.CPU
	u.RSS += o.RSS
}

// child is the state of a child process.
type child struct {
	peer *peer
	addr string
	conn conn   // a client's connection
	idle []conn // a client's other connections, which do nothing
}

func runChild(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 4 {
		return errors.New("usage: bench child ROLE PEER DIR ADDR")
	}
	p := peerNamed(args[1])
	if p == nil {
		return fmt.Errorf("no peer is called %q", args[1])
	}
	c, enc := &child{peer: p, addr: args[3]}, json.NewEncoder(out)
	if err := enc.Encode(reply(c.start(args[0], args[2]))); err != nil {
		return err
	}
	for dec := json.NewDecoder(in); ; {
		var o order
		if err := dec.Decode(&o); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := enc.Encode(reply(c.obey(o))); err != nil {
			return err
		}
	}
}

func reply(a answer, err error) answer {
	if err != nil {
		a.Err = err.Error()
	}
	return a
}

func (c *child) start(role, dir string) (a answer, err error) {
	switch role {
	case roleBroker:
		a.Addr, err = c.peer.broker(dir)
	case roleServe:
		a.Addr, err = c.peer.serve(dir, c.addr)
	case roleClient:
		if c.conn, err = c.peer.dial(c.addr); err == nil {
			err = callOnce(c.conn, []byte(payload))
		}
	default:
		err = fmt.Errorf("no role is called %q", role)
	}
	return a, err
}

func (c *child) obey(o order) (a answer, err error) {
	switch o.Do {
	case "settle":
		debug.FreeOSMemory()
	case "load":
		a.Load, err = runLoad(c.conn, o.Callers, o.For)
	case "idle":
		err = c.dialIdle(o.Conns)
	case "drop":
		c.dropIdle()
	case "usage":
	default:
		err = fmt.Errorf("no order is called %q", o.Do)
	}
	a.Usage = usageNow()
	return a, err
}

// dialIdle opens n connections beside the first, makes one call on each, so
// that all of a handshake has happened, and leaves them alone.
func (c *child) dialIdle(n int) error {
	for range n {
		idle, err := c.peer.dial(c.addr)
		if err != nil {
			return err
		}
		c.idle = append(c.idle, idle)
		if err := callOnce(idle, []byte(payload)); err != nil {
			return err
		}
	}
	return nil
}

func (c *child) dropIdle() {
	for _, idle := range c.idle {
		idle.close()
	}
	c.idle = nil
}

// childMain is main of a child.
func childMain(args []string) {
	if err := runChild(args, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "bench child %v: %v\n", args, err)
		os.Exit(1)
	}
}
