package transport

import "golang.org/x/sys/unix"

// widerPipe is for FIFOs. A user has 64 MiB of this altogether.
func widerPipe(fd uintptr) { unix.FcntlInt(fd, unix.F_SETPIPE_SZ, wideBuffer) }

// fifoTick is zero: epoll says that the last writer has closed.
const fifoTick = 0
