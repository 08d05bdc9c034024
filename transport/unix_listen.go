//go:build unix && !aix && !solaris

package transport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unixListener serves a Unix socket whose path it holds the lock of.
//
// The socket is bound beside its path, made private, and then renamed over
// whatever socket a dead process left there: a client finds the old one or
// the new one, never one that others may open and never none.
type unixListener struct {
	path     string
	options  *Options
	listener *net.UnixListener
	acceptor *acceptor
	lock     *lockFile
	device   uint64 // with inode: which file is our socket
	inode    uint64

	vacating sync.Once
	closing  sync.Once
	closed   error
}

func listenUnix(ctx context.Context, path string, o *Options) (Listener, error) {
	if err := checkPlace(path); err != nil {
		return nil, err
	}
	lock, err := takeLock(path + ".lock")
	if err != nil {
		return nil, err
	}
	l := &unixListener{path: path, options: o, lock: lock}
	if err := l.start(ctx); err != nil {
		lock.release()
		return nil, err
	}
	return l, nil
}

func (l *unixListener) start(ctx context.Context) error {
	// The name is ours by the lock; a process that was killed here may have
	// left it.
	made := l.path + "~"
	if err := removeSocket(made); err != nil {
		return err
	}
	if err := l.checkFree(ctx); err != nil {
		return err
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		// Linux gives the file the mode of the socket, so there is no moment
		// at which it is open to others. Where that is not so, the directory
		// and the chmod below have to do.
		return c.Control(func(fd uintptr) { unix.Fchmod(int(fd), 0o600) })
	}}
	ln, err := lc.Listen(ctx, "unix", made)
	if err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	l.listener = ln.(*net.UnixListener)
	l.listener.SetUnlinkOnClose(false)
	if err := l.place(made); err != nil {
		l.listener.Close()
		removeSocket(made)
		return err
	}
	l.acceptor = newAcceptor(l.listener.Accept)
	return nil
}

// place gives the socket its mode and its name.
func (l *unixListener) place(made string) error {
	if err := os.Chmod(made, 0o600); err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(made, &st); err != nil {
		return fmt.Errorf("transport: lstat %s: %w", made, err)
	}
	l.device, l.inode = uint64(st.Dev), uint64(st.Ino)
	if err := os.Rename(made, l.path); err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	return nil
}

// checkFree makes sure that what is at the path may be replaced: nothing, or
// a socket of ours that nobody serves. Processes that do not know our locks
// are found by knocking.
func (l *unixListener) checkFree(ctx context.Context) error {
	if err := ownSocket(l.path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
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

// ownSocket returns nil if a socket of this user is at path.
func ownSocket(path string) error {
	var st unix.Stat_t
	switch err := unix.Lstat(path, &st); {
	case err != nil:
		return &fs.PathError{Op: "lstat", Path: path, Err: err}
	case st.Mode&unix.S_IFMT != unix.S_IFSOCK:
		return fmt.Errorf("%w: %s exists and is not a socket", ErrUntrustedPath, path)
	case st.Uid != uint32(os.Geteuid()):
		return fmt.Errorf("%w: %s belongs to user %d", ErrUntrustedPath, path, st.Uid)
	}
	return nil
}

// removeSocket removes a socket of this user, if there is one.
func removeSocket(path string) error {
	err := ownSocket(path)
	if err == nil {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
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

// vacate removes the socket, if it still is the one that was made, and gives
// the lock up.
func (l *unixListener) vacate() {
	l.vacating.Do(func() {
		var st unix.Stat_t
		if unix.Lstat(l.path, &st) == nil && uint64(st.Dev) == l.device && uint64(st.Ino) == l.inode {
			os.Remove(l.path)
		}
		l.lock.release()
	})
}

func (l *unixListener) Close() error {
	l.closing.Do(func() {
		l.acceptor.stop()
		l.closed = l.listener.Close()
		l.vacate()
	})
	return l.closed
}
