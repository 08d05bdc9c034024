//go:build linux || darwin

package transport

import (
	"time"

	"golang.org/x/sys/unix"
)

// fifoWatch owns the files of a connection on systems whose poller does not
// say that the last writer of a FIFO is gone: now and then it looks itself,
// and has the reader look.
type fifoWatch struct {
	*filePair
	done  chan struct{} // closed by Close
	ended chan struct{} // closed by the goroutine in work
}

// newFIFOWatch starts to look at each tick.
func newFIFOWatch(files *filePair, ticks *time.Ticker) *fifoWatch {
	w := &fifoWatch{filePair: files, done: make(chan struct{}), ended: make(chan struct{})}
	go w.work(ticks)
	return w
}

func (w *fifoWatch) work(ticks *time.Ticker) {
	defer close(w.ended)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			if w.hungUp() {
				// What comes of it is not an end but another look: see
				// framed.passed.
				w.SetReadDeadline(longAgo)
			}
		case <-w.done:
			return
		}
	}
}

func (w *fifoWatch) hungUp() (yes bool) {
	rc, err := w.in.SyscallConn()
	if err != nil {
		return false
	}
	rc.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		_, err := unix.Poll(p, 0)
		yes = err == nil && p[0].Revents&unix.POLLHUP != 0
	})
	return yes
}

func (w *fifoWatch) Close() error {
	close(w.done)
	<-w.ended
	return w.filePair.Close()
}
