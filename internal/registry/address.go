package registry

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"unicode"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// A Way is one way to a service: its transport, or a fallback of that.
type Way struct {
	Address   string              // in the form transport.Dial takes; "" beside an Err
	Transport *manifest.Transport // what the manifest says of it; nil if there is none
	Err       error               // TRANSPORT_UNSUPPORTED: why this library cannot go there

	// Offer marks a way that a service may have beside the next one, and that
	// is quicker: nobody misses it where it is not there.
	Offer bool
}

// WaysOf returns the ways to the service of m, in the order in which they are
// to be tried. At least one of them has no Err.
//
// The error is TRANSPORT_UNSUPPORTED if there is none, or UNTRUSTED_PEER or
// SCHEMA_MISMATCH for an address that leads elsewhere than it may or nowhere.
func WaysOf(m *manifest.Manifest) ([]Way, error) {
	service := &m.Service
	var ways []Way
	var unsupported error // the first one
	for i := range 1 + len(service.Transport.Fallback) {
		t := &service.Transport
		if i > 0 {
			t = &t.Fallback[i-1]
		}
		address, err := TransportAddress(service.Name, t)
		if err != nil && !errors.Is(err, wire.CodeTransportUnsupported) {
			return nil, err
		}
		if unsupported == nil {
			unsupported = err
		}
		if offer, ok := offered(address, t); ok {
			ways = append(ways, Way{Address: offer, Transport: t, Offer: true})
		}
		ways = append(ways, Way{Address: address, Transport: t, Err: err})
	}
	if Open(ways) == nil {
		return nil, unsupported
	}
	return ways, nil
}

// offered returns the address of the memory that a service offers beside the
// socket of an auto transport, where there is such a thing.
func offered(address string, t *manifest.Transport) (string, bool) {
	path, ok := strings.CutPrefix(address, transport.SchemeUnix+":")
	path, named := strings.CutSuffix(path, socketSuffix)
	auto := t.Type == manifest.TransportAuto || t.Type == ""
	return transport.SchemeShm + ":" + path + "." + transport.SchemeShm, ok && named && auto && runtime.GOOS == "linux"
}

// Open returns those of some ways that this library can go.
func Open(ways []Way) (open []Way) {
	for _, w := range ways {
		if w.Err == nil {
			open = append(open, w)
		}
	}
	return open
}

// TransportAddress returns the address that one transport of a service's
// manifest means.
//
// A manifest may come from anywhere, so an address in it may only lead to
// where other users cannot wait for us: into the runtime directory or to a
// port of this machine; or, with tls, to where nobody can pretend to be the
// service.
func TransportAddress(service string, t *manifest.Transport) (string, error) {
	switch t.Type {
	case manifest.TransportAuto, manifest.TransportUnix, manifest.TransportNamedPipe, "":
		return localAddress(service, t.Address)
	case manifest.TransportShm:
		if runtime.GOOS == "linux" {
			return socketAddress(service, transport.SchemeShm, t.Address)
		}
	case manifest.TransportFIFO:
		return socketAddress(service, transport.SchemeFIFO, t.Address)
	case manifest.TransportMessageQueue:
		return queueAddress(service, t.Address)
	case manifest.TransportTCP:
		return tcpAddress(service, t)
	case manifest.TransportStdio:
		return "", wire.Errorf(wire.CodeTransportUnsupported,
			"service %q speaks over its standard input and output, which only its parent can do; give it a transport of type \"unix\" to be called by name", service)
	}
	return "", wire.Errorf(wire.CodeTransportUnsupported,
		"service %q: transport type %q is not built in; use \"unix\", or list it under \"fallback\"", service, t.Type)
}

// queueAddress returns the address of POSIX message queues, by their name.
func queueAddress(service, name string) (string, error) {
	if name == "" {
		name = service
	}
	return checked(service, transport.SchemeMQ+":"+strings.TrimPrefix(name, transport.SchemeMQ+":"))
}

func tcpAddress(service string, t *manifest.Transport) (string, error) {
	if t.TLS != nil {
		return tlsAddress(service, t)
	}
	host, port := strings.TrimPrefix(t.Address, transport.SchemeTCP+":"), strconv.Itoa(t.Port)
	if h, p, err := net.SplitHostPort(host); err == nil && t.Port == 0 {
		host, port = h, p
	}
	switch host {
	case "", "localhost":
		host = "127.0.0.1" // never ask a resolver where this machine is
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", wire.Errorf(wire.CodeSchemaMismatch, "service %q: a tcp transport needs a port from 1 to 65535", service)
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil || !ip.IsLoopback() {
		return "", refused(service, host, "it is not a loopback address, and tcp is not encrypted: add \"tls\" to the transport")
	}
	return checked(service, transport.SchemeTCP+":"+net.JoinHostPort(strings.Trim(host, "[]"), port))
}

// checked returns address if the transport takes it.
func checked(service, address string) (string, error) {
	if _, err := transport.ParseAddress(address); err != nil {
		return "", wire.Errorf(wire.CodeUntrustedPeer, "service %q: %w", service, err)
	}
	return address, nil
}

func refused(service, address, why string) error {
	return wire.Errorf(wire.CodeUntrustedPeer, "service %q: address %q refused: %s", service, address, why)
}

// nameAddress returns the address of this user's service of that name. A FIFO,
// and the socket at which memory is handed out, stand beside the socket and end
// otherwise.
func nameAddress(service, scheme, name string) (string, error) {
	suffix := socketSuffix
	if scheme != transport.SchemeUnix {
		suffix = "." + scheme
	}
	name = strings.TrimSuffix(name, suffix)
	switch {
	case name == "" || name == "." || name == "..":
		return "", refused(service, name, "it names no socket")
	case strings.HasPrefix(name, "@"):
		return "", refused(service, name, "abstract sockets are open to everybody")
	case strings.ContainsAny(name, `/\`):
		return "", refused(service, name, "a relative address is a bare name in the runtime directory")
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", refused(service, name, "it holds a control character")
	}
	address, err := transport.ServiceAddress(name)
	if err != nil {
		return "", wire.Errorf(wire.CodeUntrustedPeer, "service %q: %w", service, err)
	}
	if scheme != transport.SchemeUnix {
		path := strings.TrimPrefix(address, transport.SchemeUnix+":")
		address = scheme + ":" + strings.TrimSuffix(path, socketSuffix) + suffix
	}
	return checked(service, address)
}
