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
	var d net.Dialer
	for pause := dialPauseMin; ; pause = min(2*pause, dialPauseMax) {
		c, err := d.DialContext(ctx, "unix", path)
		if err == nil {
			return trust(c.(*net.UnixConn), path, o)
		}
		if !errors.Is(err, syscall.EAGAIN) {
			return nil, dialError(err)
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, fmt.Errorf("transport: unix:%s accepts nobody: %w", path, ctx.Err())
		}
	}
}

// trust looks at who serves the socket before anything is said to him.
func trust(c *net.UnixConn, path string, o *Options) (Conn, error) {
	peer, err := peerOf(c)
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("%w at unix:%s: %v", ErrUntrustedPeer, path, err)
	}
	if peer.Known && !o.trusts(peer.UID) {
		c.Close()
		return nil, fmt.Errorf("%w: unix:%s is served by user %d", ErrUntrustedPeer, path, peer.UID)
	}
	conn, err := newSocket(c, peer, o, o.dialFraming())
	if err != nil {
		c.Close()
	}
	return conn, err
}

func (o *Options) trusts(uid uint32) bool {
	if o != nil && o.TrustUID != nil {
		return o.TrustUID(uid)
	}
	return uid == 0 || uid == uint32(os.Geteuid()) && uid != place.OverflowUID()
}
