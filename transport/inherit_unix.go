//go:build unix && !aix && !solaris

package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// firstInherited is the descriptor of the first socket that a service manager
// passes, and maxInherited how many are looked at.
const (
	firstInherited = 3
	maxInherited   = 64
)

// Inherited returns the names of the listening sockets that this process was
// started with, in order, as systemd and its like pass them (LISTEN_FDS,
// LISTEN_FDNAMES; see sd_listen_fds(3)). One that was given no name is called
// "unknown", as there.
func Inherited() []string {
	if pid, err := strconv.Atoi(os.Getenv("LISTEN_PID")); err != nil || pid != os.Getpid() {
		return nil // meant for a parent of ours
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 1 || n > maxInherited {
		return nil
	}
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	for len(names) < n {
		names = append(names, "")
	}
	for i, name := range names {
		if name == "" {
			names[i] = "unknown"
		}
	}
	return names[:n]
}

// inheritedFD returns the descriptor of the socket of that name, or of the
// only one for "".
func inheritedFD(name string) (int, error) {
	names := Inherited()
	if name == "" && len(names) == 1 {
		return firstInherited, nil
	}
	for i, have := range names {
		if have == name && name != "" {
			return firstInherited + i, nil
		}
	}
	if len(names) == 0 {
		return launchd(name)
	}
	return -1, fmt.Errorf("transport: inherit:%s: the sockets passed to this process are called %s: %w", name, strings.Join(names, ", "), fs.ErrNotExist)
}

// inherited is a listener whose Unix socket belongs to whoever started us, and
// goes on to listen when we do not.
type inherited struct {
	listener *net.UnixListener
	acceptor *acceptor
	options  *Options
	closing  sync.Once
	closed   error
}

func listenInherited(name string, o *Options) (Listener, error) {
	fd, err := inheritedFD(name)
	if err != nil {
		return nil, err
	}
	if err := checkInherited(fd); err != nil {
		return nil, fmt.Errorf("transport: inherit:%s: descriptor %d %w", name, fd, err)
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("transport: inherit:%s: %w", name, err)
	}
	unix.CloseOnExec(fd) // it stays, so that a service may listen again; children do not get it
	f := os.NewFile(uintptr(own), "inherit:"+name)
	defer f.Close()
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("transport: inherit:%s: %w", name, err)
	}
	if port, ok := ln.(*net.TCPListener); ok {
		return inheritPort(name, port, o)
	}
	l := &inherited{listener: ln.(*net.UnixListener), options: o}
	l.listener.SetUnlinkOnClose(false)
	l.acceptor = newAcceptor(l.listener.Accept)
	return l, nil
}

// inheritedPort is a TCP port that belongs to whoever started us. Who may
// connect to it is decided as for one that we have opened.
type inheritedPort struct{ *tcpListener }

func inheritPort(name string, ln *net.TCPListener, o *Options) (Listener, error) {
	at := ln.Addr().(*net.TCPAddr).AddrPort()
	if !at.Addr().Unmap().IsLoopback() && (o == nil || !o.InsecureTCP) {
		ln.Close()
		return nil, fmt.Errorf("%w: inherit:%s listens at %s; pass a socket of 127.0.0.1, or set InsecureTCP if the network is protected otherwise", ErrNotLoopback, name, at)
	}
	return inheritedPort{newTCPListener(ln, o)}, nil
}

// Retire leaves who connects from now on to the next process.
func (l inheritedPort) Retire() { l.acceptor.leave(l.listener) }

// checkInherited says what is wrong with a descriptor that should be a socket
// that listens.
func checkInherited(fd int) error {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return fmt.Errorf("is no socket: %w", err)
	}
	if kind != unix.SOCK_STREAM {
		return errors.New("is not a stream socket; ListenStream= makes one")
	}
	if listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err == nil && listens == 0 {
		return errors.New("does not listen; Accept=no passes one that does")
	}
	switch name, err := unix.Getsockname(fd); name.(type) {
	case *unix.SockaddrUnix, *unix.SockaddrInet4, *unix.SockaddrInet6:
		return nil
	default:
		return errors.Join(errors.New("is neither a Unix socket nor TCP"), err)
	}
}

func (l *inherited) Accept() (Conn, error) {
	for {
		c, err := l.acceptor.next()
		if err != nil {
			return nil, err
		}
		if peer, err := peerOf(c.(*net.UnixConn)); err == nil {
			if conn, err := newSocket(c, peer, l.options, l.options.listenFraming()); err == nil {
				return conn, nil
			}
		}
		c.Close() // whoever the kernel cannot name is not served
	}
}

// Addr returns the address by which clients find the socket.
func (l *inherited) Addr() string { return SchemeUnix + ":" + l.listener.Addr().String() }

// Retire accepts nobody any more. Who connects from now on waits for the next
// process that inherits the socket, which is what it is inherited for.
func (l *inherited) Retire() { l.acceptor.leave(l.listener) }

func (l *inherited) Close() error {
	l.closing.Do(func() {
		l.acceptor.stop()
		l.closed = l.listener.Close()
	})
	return l.closed
}
