package main

import "slices"

// A peer is one way of calling another process.
type peer struct {
	name string
	// program is the name of the program that has this peer alone linked in,
	// and the build tag to make it.
	program string
	// module is the path whose version the report names; empty for this
	// repository and the standard library.
	module string
	// lockstep is set for a peer that can have one call under way on a
	// connection and no more: only the sequential mode is measured.
	lockstep bool
	// broker starts what stands between client and service and returns its
	// address; nil where nothing does. It returns when it is ready and goes
	// on until the process ends.
	broker func(dir string) (addr string, err error)
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

// The names that other files refer to.
const (
	rawName  = "raw-unix"
	ipcName  = "ipc-unix"
	ekkoName = "bench" // of the service of ipc-unix
)

// inOrder is the order of the report. The first one is what ratios refer to.
var inOrder = []string{rawName, ipcName, "grpc-go", "net/rpc+jsonrpc", "nats"}

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

// payload is what is echoed: 100 bytes, and JSON, since that is what some of
// the peers carry.
const payload = `{"orderId":456,"customer":"Ada Lovelace","total":99.99,"items":["tea","rusk","jam"],"note":"parcel"}`

const _ = uint(100-len(payload)) + uint(len(payload)-100) // compiles only at 100 bytes
