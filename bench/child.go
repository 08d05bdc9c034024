package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"time"
)

// The program starts itself with these arguments to be one of the processes of
// a peer:
//
//	bench child ROLE PEER DIR ADDR
//
// A child reads orders from its standard input, one JSON value after the
// other, and answers each on its standard output. It ends with its input, so
// that none of them outlives the program that started it. The peers that run
// in Node speak the same: node/child.js.
const (
	roleBroker = "broker"
	roleServe  = "serve"
	roleClient = "client"
)

// An order is what a child is told to do.
type order struct {
	Do      string        `json:"do"` // "usage", "settle", "load", "idle", "drop" or "profile"
	Callers int           `json:"callers,omitempty"`
	Payload int           `json:"payload,omitempty"` // bytes
	Slow    bool          `json:"slow,omitempty"`
	For     time.Duration `json:"for,omitempty"`
	Conns   int           `json:"conns,omitempty"`
	Path    string        `json:"path,omitempty"` // of a profile that begins; "" ends it
}

// An answer is what a child says when it is ready, and after each order.
type answer struct {
	Err     string `json:"err,omitempty"`
	Addr    string `json:"addr,omitempty"`
	Version string `json:"version,omitempty"` // of the peer, where only the child knows it
	Usage   usage  `json:"usage"`
	Load    load   `json:"load"`
	Conns   int    `json:"conns,omitempty"` // that lie idle
	Short   string `json:"short,omitempty"` // why these are fewer than ordered
}

// A usage is what one process, or several together, have used.
type usage struct {
	CPU     float64 `json:"cpu"`               // seconds since the start
	RSS     int64   `json:"rss"`               // KiB now
	Mallocs *uint64 `json:"mallocs,omitempty"` // since the start; nil where it is not known
}

func (u usage) plus(o usage) usage {
	sum := usage{CPU: u.CPU + o.CPU, RSS: u.RSS + o.RSS}
	if u.Mallocs != nil && o.Mallocs != nil {
		sum.Mallocs = new(*u.Mallocs + *o.Mallocs)
	}
	return sum
}

// child is the state of a child process.
type child struct {
	peer    *peer
	addr    string
	usage   func() usage
	conn    conn     // a client's connection
	idle    []conn   // a client's other connections, which do nothing
	profile *os.File // that is being written; may be nil
}

func runChild(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 4 {
		return errors.New("usage: bench child ROLE PEER DIR ADDR")
	}
	p := peerNamed(args[1])
	if p == nil || p.program == "" {
		return fmt.Errorf("no peer is called %q here", args[1])
	}
	c, enc := &child{peer: p, addr: args[3], usage: usageNow}, json.NewEncoder(out)
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
	a.Version = versionOf(c.peer.module)
	switch role {
	case roleBroker:
		a.Addr, err = c.peer.broker(dir)
		if more := c.peer.brokerUsage; more != nil {
			c.usage = func() usage { return usageNow().plus(more()) }
		}
	case roleServe:
		a.Addr, err = c.peer.serve(dir, c.addr)
	case roleClient:
		if c.conn, err = c.peer.dial(c.addr); err == nil {
			err = callOnce(c.conn, payloadOf(smallSize))
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
		a.Load, err = runLoad(c.conn, mode{o.Callers, o.Payload, o.Slow}, o.For)
	case "idle":
		a.Short = c.dialIdle(o.Conns)
		a.Conns = len(c.idle)
	case "drop":
		c.dropIdle()
	case "profile":
		err = c.profileTo(o.Path)
	case "usage":
	default:
		err = fmt.Errorf("no order is called %q", o.Do)
	}
	a.Usage = c.usage()
	return a, err
}

// dialIdle opens n connections beside the first, makes one call on each, so
// that all of a handshake has happened, and leaves them alone. It returns why
// there are fewer than n.
func (c *child) dialIdle(n int) string {
	for range n {
		idle, err := c.peer.dial(c.addr)
		if err != nil {
			return err.Error()
		}
		if err := callOnce(idle, payloadOf(smallSize)); err != nil {
			idle.close()
			return err.Error()
		}
		c.idle = append(c.idle, idle)
	}
	return ""
}

func (c *child) dropIdle() {
	for _, idle := range c.idle {
		idle.close()
	}
	c.idle = nil
}

// profileTo begins a CPU profile, or ends the one that is being written.
func (c *child) profileTo(path string) (err error) {
	if path == "" {
		pprof.StopCPUProfile()
		return c.profile.Close()
	}
	if c.profile, err = os.Create(path); err != nil {
		return err
	}
	return pprof.StartCPUProfile(c.profile)
}

// childMain is main of a child.
func childMain(args []string) {
	raiseFileLimit()
	if err := runChild(args, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "bench child %v: %v\n", args, err)
		os.Exit(1)
	}
}
