//go:build unix && !aix && !solaris

package transport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unixListener serves a Unix socket whose path it has the claim to.
type unixListener struct {
	*claim
	options  *Options
	listener *net.UnixListener
	acceptor *acceptor

	closing sync.Once
	closed  error
}

func listenUnix(ctx context.Context, path string, o *Options) (Listener, error) {
	c, err := takeClaim(path, aSocket)
	if err != nil {
		return nil, err
	}
	l := &unixListener{claim: c, options: o}
	if err := l.start(ctx); err != nil {
		l.vacate()
		return nil, err
	}
	return l, nil
}

func (l *unixListener) start(ctx context.Context) error {
	if err := l.checkFree(ctx); err != nil {
		return err
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		// Linux gives the file the mode of the socket, so there is no moment
		// at which it is open to others. Where that is not so, the directory
		// and the chmod below have to do.
		return c.Control(func(fd uintptr) { unix.Fchmod(int(fd), 0o600) })
	}}
	ln, err := lc.Listen(ctx, "unix", l.beside())
	if err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	l.listener = ln.(*net.UnixListener)
	l.listener.SetUnlinkOnClose(false)
	if err = l.protect(); err == nil {
		err = l.place()
	}
	if err != nil {
		l.listener.Close()
		removeOwn(l.beside(), aSocket)
		return err
	}
	l.acceptor = newAcceptor(l.listener.Accept)
	return nil
}

// checkFree makes sure that what is at the path may be replaced: nothing, or
// a socket of ours that nobody serves. Processes that do not know our locks
// are found by knocking.
func (l *unixListener) checkFree(ctx context.Context) error {
	if there, err := l.taken(); !there || err != nil {
		return err
	}
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "unix", l.path)
	switch {
	case err == nil:
		c.Close()
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("%w: another process serves %s", ErrAddressInUse, l.path)
}

func (l *unixListener) Accept() (Conn, error) {
	for {
		c, err := l.acceptor.next()
		if err != nil {
			return nil, err
		}
		peer, err := peerOf(c.(*net.UnixConn))
		if err == nil {
			var conn Conn
			if conn, err = newSocket(c, peer, l.options, l.options.listenFraming()); err == nil {
				return conn, nil
			}
		}
		c.Close() // whoever the kernel cannot name is not served
	}
}

func (l *unixListener) Addr() string { return SchemeUnix + ":" + l.path }

// Retire takes the socket's name away, so that nobody new finds it, and leaves
// the address to whoever wants to serve it next.
func (l *unixListener) Retire() {
	l.vacate()
	l.acceptor.retire(l.listener)
}

func (l *unixListener) Close() error {
	l.closing.Do(func() {
		l.acceptor.stop()
		l.closed = l.listener.Close()
		l.vacate()
	})
	return l.closed
}
