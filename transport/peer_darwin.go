package transport

import "golang.org/x/sys/unix"

// peerPID returns zero if the kernel does not say.
func peerPID(fd int) int {
	pid, err := unix.GetsockoptInt(fd, solLocal, unix.LOCAL_PEERPID)
	if err != nil {
		return 0
	}
	return pid
}
