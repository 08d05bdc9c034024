package main

import (
	"cmp"
	"slices"
)

// An eventPeer is one way of telling other processes what has happened.
type eventPeer struct {
	name    string
	program string // as a peer's
	module  string // likewise
	// absent says why the peer cannot be measured on this machine; "" if it
	// can, nil if it always can.
	absent func() string
	// version is that of a program that is not built from here; may be nil.
	version func() string
	// profiled is set for a peer of whose processes profiles are wanted.
	profiled bool
	// broker starts what stands between publisher and subscribers, and
	// brokerUsage what it has used, both as a peer's. Both may be nil.
	broker      func(dir string) (addr string, err error)
	brokerUsage func() usage
	// publish opens the publisher, and returns the address where subscribers
	// go: often the broker's.
	publish func(dir, broker string) (p publisher, addr string, err error)
	// subscribe opens a connection and returns when everything that is
	// published from then on will come. It calls hear for the data of one
	// event after the other, until the process ends.
	subscribe func(dir, addr string, hear func(data []byte)) error
}

// eventOrder is the order of the report.
var eventOrder = []string{rawEvents, ipcEvents, "ipc-client", "nats", "mosquitto-0", "mosquitto-1", "dbus"}

// The names that other files refer to.
const (
	rawEvents = "raw"
	ipcEvents = "ipc"
)

// eventPeers are those linked into this program, as peers are.
var eventPeers []*eventPeer

func registerEvents(p *eventPeer) {
	eventPeers = append(eventPeers, p)
	slices.SortFunc(eventPeers, func(a, b *eventPeer) int {
		return cmp.Compare(slices.Index(eventOrder, a.name), slices.Index(eventOrder, b.name))
	})
}

func eventPeerNamed(name string) *eventPeer {
	if i := slices.IndexFunc(eventPeers, func(p *eventPeer) bool { return p.name == name }); i >= 0 {
		return eventPeers[i]
	}
	return nil
}
