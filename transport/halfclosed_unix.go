//go:build unix

package transport

import "golang.org/x/sys/unix"

func (s *polled) peerReads() bool {
	var events int16 = unix.POLLHUP
	err := s.control(func(fd uintptr) {
		if s.peer != nil && s.peer.left() {
			return
		}
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if _, err := unix.Poll(p, 0); err == nil {
			events = p[0].Revents
		}
	})
	return err == nil && events&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) == 0
}
