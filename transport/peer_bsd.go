//go:build darwin || freebsd

package transport

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

const solLocal = 0 // SOL_LOCAL, which x/sys does not name on every system

// peerOf asks the kernel who connected, or who listened.
func peerOf(c *net.UnixConn) (Peer, error) {
	rc, err := c.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var cred *unix.Xucred
	var pid int
	var asked error
	if err := rc.Control(func(fd uintptr) {
		cred, asked = unix.GetsockoptXucred(int(fd), solLocal, unix.LOCAL_PEERCRED)
		pid = peerPID(int(fd))
	}); err != nil {
		return Peer{}, err
	}
	switch {
	case asked != nil:
		return Peer{}, fmt.Errorf("asking for the peer's user: %w", asked)
	case cred.Uid == ^uint32(0) || cred.Ngroups < 1:
		return Peer{}, fmt.Errorf("the kernel names no user for the peer")
	}
	return Peer{Known: true, UID: cred.Uid, GID: cred.Groups[0], PID: int32(pid)}, nil
}
