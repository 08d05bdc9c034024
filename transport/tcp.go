package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// keepAlive finds out within two minutes that a peer is gone without a word;
// on loopback that is a machine suspended, or a process in a container cut
// off.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4}

var tcpScheme = scheme{
	parse: func(rest string, a *Address) (err error) {
		a.Host, err = parseHost(rest)
		return err
	},
	text:   func(a *Address) string { return a.Host.String() },
	listen: func(ctx context.Context, a *Address, o *Options) (Listener, error) { return listenTCP(ctx, a.Host, o) },
	dial:   func(ctx context.Context, a *Address, o *Options) (Conn, error) { return dialTCP(ctx, a.Host, o) },
}

func parseHost(s string) (netip.AddrPort, error) {
	if port, ok := strings.CutPrefix(s, "localhost:"); ok {
		s = "127.0.0.1:" + port // never ask a resolver where this machine is
	}
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		if i := strings.LastIndexByte(s, ':'); i >= 0 && isPort(s[i+1:]) {
			return a, ErrNotLoopback // a name, or every address there is
		}
		return a, fmt.Errorf("it is not of the form tcp:127.0.0.1:7000")
	}
	if !a.Addr().IsLoopback() {
		return a, ErrNotLoopback
	}
	return a, nil
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

type tcpListener struct {
	listener *net.TCPListener
	acceptor *acceptor
	options  *Options
	teller   *teller

	closing sync.Once
	closed  error
}

func listenTCP(ctx context.Context, host netip.AddrPort, o *Options) (Listener, error) {
	ln, err := listenSocket(ctx, host.String())
	if err != nil {
		return nil, err
	}
	return newTCPListener(ln, o), nil
}

func newTCPListener(ln *net.TCPListener, o *Options) *tcpListener {
	return &tcpListener{listener: ln, acceptor: newAcceptor(ln.Accept), options: o, teller: newTeller(o)}
}

// listenSocket listens on a port.
func listenSocket(ctx context.Context, hostport string) (*net.TCPListener, error) {
	lc := net.ListenConfig{KeepAliveConfig: keepAlive}
	ln, err := lc.Listen(ctx, "tcp", hostport)
	switch {
	case errors.Is(err, errnoInUse):
		return nil, fmt.Errorf("%w: %w", ErrAddressInUse, err)
	case err != nil:
		return nil, fmt.Errorf("transport: %w", err)
	}
	return ln.(*net.TCPListener), nil
}

func dialTCP(ctx context.Context, host netip.AddrPort, o *Options) (Conn, error) {
	d := net.Dialer{KeepAliveConfig: keepAlive}
	c, err := d.DialContext(ctx, "tcp", host.String())
	if err != nil {
		return nil, dialError(err)
	}
	return tcpConn(c, o, o.dialFraming())
}

// tcpConn has TCP_NODELAY by net's default. The kernel does not say who is at
// the other end, so Peer is not Known.
func tcpConn(c net.Conn, o *Options, f Framing) (Conn, error) {
	conn, err := newSocket(c, Peer{}, o, f)
	if err != nil {
		c.Close()
	}
	return conn, err
}

func (l *tcpListener) Accept() (Conn, error) {
	for {
		c, err := l.acceptor.next()
		if err != nil {
			return nil, err
		}
		if l.options.lets(c, false) {
			return tcpConn(c, l.options, l.options.listenFraming())
		}
		c.Close()
		l.teller.turnedAway(notAllowed(c))
	}
}

func (l *tcpListener) Addr() string { return SchemeTCP + ":" + l.listener.Addr().String() }

// Retire cannot keep anybody out: a port has no name to take away.
func (l *tcpListener) Retire() { l.acceptor.retire(l.listener) }

func (l *tcpListener) Close() error {
	l.closing.Do(func() {
		l.acceptor.stop()
		l.closed = l.listener.Close()
	})
	return l.closed
}
