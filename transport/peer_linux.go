package transport

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// peerOf asks the kernel who connected, or who listened. A process that
// inherits the connection later is not seen.
func peerOf(c *net.UnixConn) (Peer, error) {
	rc, err := c.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var cred *unix.Ucred
	var asked error
	if err := rc.Control(func(fd uintptr) {
		cred, asked = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return Peer{}, err
	}
	if asked != nil {
		return Peer{}, fmt.Errorf("asking for the peer's user: %w", asked)
	}
	if cred.Uid == ^uint32(0) {
		return Peer{}, fmt.Errorf("the kernel names no user for the peer")
	}
	return Peer{Known: true, UID: cred.Uid, GID: cred.Gid, PID: cred.Pid}, nil
}

// askable is the source of process descriptors that a Unix socket is.
func (s *polled) askable() pidfdSource { return s }

// pidfd asks the kernel about the peer while the socket cannot be closed.
func (s *polled) pidfd() (fd int, err error) {
	var asked error
	if err := s.control(func(socket uintptr) {
		fd, asked = unix.GetsockoptInt(int(socket), unix.SOL_SOCKET, unix.SO_PEERPIDFD)
	}); err != nil {
		return -1, net.ErrClosed
	}
	if asked != nil {
		return -1, os.NewSyscallError("getsockopt SO_PEERPIDFD", asked)
	}
	return fd, nil
}

// ownProcess is the peer of an in-memory connection.
type ownProcess struct{}

func (ownProcess) pidfd() (int, error) {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	return fd, os.NewSyscallError("pidfd_open", err)
}

func selfSource() pidfdSource { return ownProcess{} }
