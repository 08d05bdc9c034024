package auth

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc/transport"
)

// exeOf reads the program by the process's number, and believes it if the
// process is still alive afterwards: until it ends its number is its own.
func exeOf(p transport.Peer) string {
	fd, err := p.PIDFD()
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.PID))
	if err != nil || !alive(fd) {
		return ""
	}
	return exe
}

// alive reports whether the process of a descriptor has not ended: the end
// makes it readable.
func alive(pidfd int) bool {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 0)
		if err != unix.EINTR {
			return err == nil && n == 0
		}
	}
}
