package transport

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Go's poller watches a descriptor for both directions, and a Unix socket
// becomes writable each time the peer takes something out of it. So every
// message sent comes back as an event that nobody waits for, and wakes a
// thread to find that out: a third of a round trip, on a busy machine.
//
// A quiet socket is therefore not watched by Go's poller. An epoll set of its
// own watches it, for reading only, and Go's poller watches that set. A
// second set is there for when a write has to wait. The sets cost two
// descriptors, so there are not many.

// quietMax is how many sockets may be quiet at once.
const quietMax = 128

var quietLeft = sync.OnceValue(func() *atomic.Int64 {
	left := new(atomic.Int64)
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		left.Store(int64(min(quietMax, limit.Cur/16)))
	}
	return left
})

// quiet owns a socket and its two sets.
type quiet struct {
	socket   int
	readable *os.File // an epoll set that is readable when the socket is
	writable *os.File // one that is readable when the socket is writable, if armed
	control  syscall.RawConn
}

// newQuiet takes over the socket of c and closes c, or returns nil and leaves
// it as it is.
func newQuiet(c *net.UnixConn) *polled {
	left := quietLeft()
	if left.Add(-1) < 0 {
		left.Add(1)
		return nil
	}
	q := &quiet{socket: -1}
	s, err := q.start(c)
	if err != nil {
		q.Close()
		return nil
	}
	c.Close()
	return s
}

func (q *quiet) start(c *net.UnixConn) (*polled, error) {
	rc, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var dup error
	if err := rc.Control(func(fd uintptr) {
		q.socket, dup = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	}); err != nil {
		return nil, err
	}
	if dup != nil {
		return nil, dup
	}
	if q.readable, err = newSet("readable"); err != nil {
		return nil, err
	}
	if q.writable, err = newSet("writable"); err != nil {
		return nil, err
	}
	if err := control(q.readable, unix.EPOLL_CTL_ADD, q.socket, unix.EPOLLIN|unix.EPOLLRDHUP); err != nil {
		return nil, err
	}
	s, err := newPolled(q.readable, q.writable, q, socketCalls)
	if err != nil {
		return nil, err
	}
	q.control = s.rd
	s.socket, s.room = int32(q.socket), q
	return s, nil
}

// newSet makes an epoll set that Go's poller watches.
func newSet(name string) (*os.File, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	if err := f.SetDeadline(time.Time{}); err != nil { // not watched
		f.Close()
		return nil, err
	}
	return f, nil
}

// control changes a set.
func control(set *os.File, op, fd int, events uint32) error {
	rc, err := set.SyscallConn()
	if err != nil {
		return err
	}
	var done error
	if err := rc.Control(func(s uintptr) {
		done = unix.EpollCtl(int(s), op, fd, &unix.EpollEvent{Events: events | unix.EPOLLET})
	}); err != nil {
		return err
	}
	return done
}

// awaitRoom arms the second set while a write waits.
func (q *quiet) awaitRoom(on bool) error {
	if on {
		return control(q.writable, unix.EPOLL_CTL_ADD, q.socket, unix.EPOLLOUT)
	}
	return control(q.writable, unix.EPOLL_CTL_DEL, q.socket, 0)
}

func (q *quiet) SetReadDeadline(t time.Time) error { return q.readable.SetReadDeadline(t) }

func (q *quiet) SetWriteDeadline(t time.Time) error { return q.writable.SetReadDeadline(t) }

// Close closes the sets first: when that is done, nobody is in a system call
// with the socket, and nobody will be.
func (q *quiet) Close() error {
	for _, set := range []*os.File{q.readable, q.writable} {
		if set != nil {
			set.Close()
		}
	}
	var err error
	if q.socket >= 0 {
		err = unix.Close(q.socket)
	}
	quietLeft().Add(1)
	return err
}

// withSocket calls f while the socket cannot be closed.
func (q *quiet) withSocket(f func(fd uintptr)) error {
	return q.control.Control(func(uintptr) { f(uintptr(q.socket)) })
}
