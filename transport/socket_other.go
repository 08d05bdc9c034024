//go:build !unix

package transport

import "net"

func newSocket(c net.Conn, peer Peer, o *Options, f Framing) (Conn, error) {
	return newFramed(&plain{conn: c}, peer, o, f), nil
}

// socketStream is the stream of a TCP socket.
func socketStream(c net.Conn) (stream, error) { return &plain{conn: c}, nil }
