package main

import (
	"errors"
	"slices"
	"time"
)

// A peer is one way of calling another process.
type peer struct {
	name string
	// program is the name of the program that has this peer alone linked in,
	// and the build tag to make it. A peer without one runs in Node.
	program string
	// module is the path whose version the report names; empty for this
	// repository, the standard library and Node.
	module string
	// lockstep is set for a peer that can have one call under way on a
	// connection and no more: only the sequential mode is measured.
	lockstep bool
	// slow is set for a peer whose connections are slower: it is also
	// measured while a slow call is under way.
	slow bool
	// profiled is set for a peer of whose processes profiles are wanted.
	profiled bool
	// single is set for a peer that does not open a second connection from a
	// process: there is nothing idle to measure.
	single bool
	// broker starts what stands between client and service and returns its
	// address; nil where nothing does. It returns when it is ready and goes
	// on until the process ends.
	broker func(dir string) (addr string, err error)
	// brokerUsage is what a broker has used that is a program of its own;
	// nil where the broker is the child itself.
	brokerUsage func() usage
	// serve starts the echo service and returns the address to dial. It
	// returns when it is ready and goes on until the process ends.
	serve func(dir, broker string) (addr string, err error)
	// dial opens one connection.
	dial func(addr string) (conn, error)
}

// A conn is the client's end of one connection. Unless its peer is lockstep,
// call is used by many goroutines at once.
type conn interface {
	// call sends the payload and returns what came back. The reply is valid
	// until the next call of a lockstep peer.
	call(payload []byte) ([]byte, error)
	close()
}

// A slower is a conn that can also call a handler that takes its time.
type slower interface {
	// callSlow returns when the handler has waited for slowness.
	callSlow() error
}

// slowness is how long the slow handler waits before it answers.
const (
	slowness     = 50 * time.Millisecond
	slownessText = "50 ms"
)

var errNoSlowCall = errors.New("this peer has no slow call")

// The names that other files refer to.
const (
	rawName  = "raw-unix"
	ipcName  = "ipc-unix"
	ekkoName = "bench" // of the service of ipc-unix
)

// inOrder is the order of the report. The first one is what ratios refer to.
var inOrder = []string{
	rawName, "raw-tcp", ipcName, "ipc-shm", "ipc-tcp", "ipc-tls",
	"grpc-go", "connect-go", "drpc", "net/rpc+jsonrpc", "nats", "nats-micro", "dbus",
	"grpc-js", "node-ipc", "moleculer",
}

// peers are those linked into this program: all, or with the build tag solo
// only those whose own tag is given too.
var peers []*peer

// register adds a peer at its place. It is called as the package starts.
func register(p *peer) *peer {
	place := func(p *peer) int { return slices.Index(inOrder, p.name) }
	peers = append(peers, p)
	slices.SortFunc(peers, func(a, b *peer) int { return place(a) - place(b) })
	return p
}

func peerNamed(name string) *peer {
	if i := slices.IndexFunc(peers, func(p *peer) bool { return p.name == name }); i >= 0 {
		return peers[i]
	}
	return nil
}
