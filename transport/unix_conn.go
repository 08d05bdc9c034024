//go:build unix

package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/ekkojs/ipc/internal/place"
)

// newSocket makes a Conn of a Unix or TCP socket.
func newSocket(c net.Conn, peer Peer, o *Options, f Framing) (Conn, error) {
	u, unix := c.(*net.UnixConn)
	var s *polled
	if unix {
		s = newQuiet(u)
	}
	if s == nil {
		var err error
		if s, err = watched(c); err != nil {
			return nil, err
		}
	}
	if unix {
		s.wider = widerSocket
		peer.source = s.askable()
	}
	return newFramed(s, peer, o, f), nil
}

// watched is the stream of a socket that Go's poller watches.
func watched(c net.Conn) (*polled, error) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("transport: a %T has no descriptor", c)
	}
	return newPolled(sc, sc, c, socketCalls)
}

// socketStream is the stream of a TCP socket.
func socketStream(c net.Conn) (stream, error) { return watched(c) }

// A listener whose backlog is full refuses with EAGAIN, which passes as soon
// as it has accepted some.
const (
	dialPauseMin = time.Millisecond
	dialPauseMax = 50 * time.Millisecond
	dialPatience = 5 * time.Second // for callers whose context has no end
)

func dialUnix(ctx context.Context, path string, o *Options) (Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	c, peer, err := dialPath(ctx, SchemeUnix, path, o)
	if err != nil {
		return nil, err
	}
	conn, err := newSocket(c, peer, o, o.dialFraming())
	if err != nil {
		c.Close()
	}
	return conn, err
}

// dialPath connects to a Unix socket, and makes sure that it is served by
// whom the options trust before anything is said to him.
func dialPath(ctx context.Context, scheme, path string, o *Options) (*net.UnixConn, Peer, error) {
	var d net.Dialer
	for pause := dialPauseMin; ; pause = min(2*pause, dialPauseMax) {
		c, err := d.DialContext(ctx, "unix", path)
		if err == nil {
			return trust(c.(*net.UnixConn), scheme+":"+path, o)
		}
		if !errors.Is(err, syscall.EAGAIN) {
			return nil, Peer{}, dialError(err)
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, Peer{}, fmt.Errorf("transport: %s:%s accepts nobody: %w", scheme, path, ctx.Err())
		}
	}
}

// trust looks at who serves the socket.
func trust(c *net.UnixConn, address string, o *Options) (*net.UnixConn, Peer, error) {
	peer, err := peerOf(c)
	switch {
	case err != nil:
		err = fmt.Errorf("%w at %s: %v", ErrUntrustedPeer, address, err)
	case peer.Known && !o.trusts(peer.UID):
		err = fmt.Errorf("%w: %s is served by user %d", ErrUntrustedPeer, address, peer.UID)
	default:
		return c, peer, nil
	}
	c.Close()
	return nil, Peer{}, err
}

func (o *Options) trusts(uid uint32) bool {
	if o != nil && o.TrustUID != nil {
		return o.TrustUID(uid)
	}
	return uid == 0 || uid == uint32(os.Geteuid()) && uid != place.OverflowUID()
}
