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

	// Of a peer that carries events: what stands in between, who publishes,
	// and all who listen. See eventchild.go.
	roleRelay   = "relay"
	rolePublish = "publish"
	roleHear    = "hear"

	// Of a peer that keeps things: what keeps them, and who wants it to. See
	// durablechild.go.
	roleVault = "vault"
	roleKeep  = "keep"
)

// An order is what a child is told to do.
type order struct {
	// "usage" or "profile" is for all of them; "settle", "load", "idle" or
	// "drop" for those of calls; "subscribe", "publish", "single" or "delays"
	// for those of events; "keep" for those that keep something.
	Do      string        `json:"do"`
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
	Heard   *heard `json:"heard,omitempty"`
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
	conn    conn   // a client's connection
	idle    []conn // a client's other connections, which do nothing
	profile profile
}

// A profile is the file that a CPU profile is being written to, if one is.
type profile struct{ f *os.File }

// obedient is what all kinds of children have in common.
type obedient interface {
	start(role, dir string) (answer, error)
	obey(order) (answer, error)
}

// childOf returns the child for a role of the peer of that name, which there
// may be several of: one that is called and one that carries events.
func childOf(role, name, dir, addr string) (obedient, error) {
	switch role {
	case roleRelay, rolePublish, roleHear:
		if p := eventPeerNamed(name); p != nil {
			return &eventChild{peer: p, dir: dir, addr: addr, usage: usageNow}, nil
		}
	case roleVault, roleKeep:
		if p := durablePeerNamed(name); p != nil {
			return &durableChild{peer: p, addr: addr, usage: usageNow}, nil
		}
	default:
		if p := peerNamed(name); p != nil && p.program != "" {
			return &child{peer: p, addr: addr, usage: usageNow}, nil
		}
	}
	return nil, fmt.Errorf("no peer is called %q here", name)
}

func runChild(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 4 {
		return errors.New("usage: bench child ROLE PEER DIR ADDR")
	}
	c, err := childOf(args[0], args[1], args[2], args[3])
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
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
		err = c.profile.to(o.Path)
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

// to begins a CPU profile, or ends the one that is being written.
func (p *profile) to(path string) (err error) {
	if path == "" {
		pprof.StopCPUProfile()
		return p.f.Close()
	}
	if p.f, err = os.Create(path); err != nil {
		return err
	}
	return pprof.StartCPUProfile(p.f)
}

// childMain is main of a child.
func childMain(args []string) {
	raiseFileLimit()
	if err := runChild(args, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "bench child %v: %v\n", args, err)
		os.Exit(1)
	}
}
