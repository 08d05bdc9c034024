package transport

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// mqStream is a stream over two queues. Bytes are cut into messages, and an
// empty message is their end.
type mqStream struct {
	*polled
	ends *mqEnds
}

// mqEnd is a queue that is open for one direction, and what is waited for
// instead of it: see quiet. A queue that Go's poller watches wakes a thread
// each time that either end puts something in or takes something out.
type mqEnd struct {
	fd  int
	set *os.File
}

// newMQEnd takes over a descriptor. The set is for reading; one for writing is
// armed when there is no room.
func newMQEnd(fd int, reads bool) (e mqEnd, err error) {
	e = mqEnd{fd: fd}
	if e.set, err = newSet("queue"); err == nil && reads {
		err = control(e.set, unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN)
	}
	if err != nil {
		e.Close()
	}
	return e, err
}

// newMQPair takes over both descriptors, also if it fails.
func newMQPair(in, out int) (read, written mqEnd, err error) {
	if read, err = newMQEnd(in, true); err != nil {
		unix.Close(out)
		return read, written, err
	}
	if written, err = newMQEnd(out, false); err != nil {
		read.Close()
	}
	return read, written, err
}

// Close closes the set first: when that is done, nobody is in a system call
// with the queue, and nobody will be.
func (e *mqEnd) Close() error {
	var err error
	if e.set != nil {
		err = e.set.Close()
	}
	return errors.Join(err, unix.Close(e.fd))
}

// sayEnd sends the empty message.
func (e *mqEnd) sayEnd() { mqSend(uintptr(e.fd), nil) }

// mqEnds owns the descriptors of a connection.
type mqEnds struct {
	in, out mqEnd

	// What a queue does not say, the peer's process does: its end. The
	// goroutine in watch waits for it, and Close ends that.
	pid     int32
	process *os.File // nil: the peer is in this process
	dead    atomic.Bool
	watched chan struct{} // closed when nobody watches

	// Of the goroutine that reads:
	message int    // the most that one message holds
	bounced *block // a message for which there was too little room, from taken on
	taken   int
	end     int
	ended   bool // the empty message has come: what is the end stays so

	// Of the goroutine that writes:
	piece int // the most that one message may hold
	depth int
	free  int // so many can be sent without asking again
}

// newMQ makes a Conn of two queues, in to read from and out to write to, which
// it owns unless it fails. told is the process in which the peer says it is.
//
// The peer is Known: to be at the other end takes opening a queue that only
// this user and root can open. The process is the kernel's word as well.
func newMQ(in, out mqEnd, told int32, o *Options, f Framing) (Conn, error) {
	e := &mqEnds{in: in, out: out, watched: make(chan struct{})}
	err := e.look(in.fd, out.fd, told)
	var s *polled
	if err == nil {
		s, err = newPolled(in.set, out.set, e, &rawCalls{
			recvName: "mq_timedreceive", recv: e.receive,
			sendName: "mq_timedsend", send: e.send,
		})
	}
	if err != nil {
		if e.process != nil {
			e.process.Close()
		}
		return nil, err
	}
	s.room = e
	if e.process == nil {
		close(e.watched)
	} else {
		go e.watch()
	}
	peer := Peer{Known: true, UID: uint32(os.Geteuid()), GID: NoUID, PID: e.pid, source: e}
	return newFramed(mqStream{s, e}, peer, o, f), nil
}

// look finds out about the queues and the peer. That somebody reads what is
// sent, after his process is held by a descriptor, makes certain that the
// number did not become another's.
func (e *mqEnds) look(in, out int, told int32) error {
	read, err := mqAttributes(in)
	if err != nil {
		return os.NewSyscallError("mq_getattr", err)
	}
	written, err := mqAttributes(out)
	if err != nil {
		return os.NewSyscallError("mq_getattr", err)
	}
	e.message, e.piece, e.depth = read.message, written.message, written.depth
	if e.message > blockSize || e.depth < mqLeastDepth {
		return errNoClient
	}
	if e.pid, err = mqWritten(in, told); err != nil {
		return err
	}
	if e.pid != int32(os.Getpid()) {
		if e.process, err = openProcess(e.pid); err != nil {
			return err
		}
	}
	if !mqRead(uintptr(out)) {
		return errNoClient
	}
	return nil
}

// mqLeastDepth is what it takes to keep a place for the end.
const mqLeastDepth = 2

// openProcess returns a file that can be read when the process has ended.
func openProcess(pid int32) (*os.File, error) {
	fd, err := unix.PidfdOpen(int(pid), 0)
	switch {
	case errors.Is(err, unix.ESRCH):
		return nil, errNoClient
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
		return nil, fmt.Errorf("%w: message queues without process descriptors, which show a peer's death; unix: is there", ErrUnsupported)
	case err != nil:
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "process"), nil
}

// watch waits for the end of the peer's process, and then has both directions
// look again.
func (e *mqEnds) watch() {
	defer close(e.watched)
	rc, err := e.process.SyscallConn()
	if err == nil {
		err = rc.Read(processEnded)
	}
	if err == nil { // else closed
		e.dead.Store(true)
		e.SetReadDeadline(longAgo)
		e.SetWriteDeadline(longAgo)
	}
}

func processEnded(fd uintptr) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	return err == nil && n > 0
}

// receive is recv of rawCalls.
func (e *mqEnds) receive(_ uintptr, p []byte) (int, syscall.Errno) {
	if e.bounced != nil {
		return e.takeBounced(p), 0
	}
	if e.ended {
		return 0, 0
	}
	n, errno := e.receiveOnce(p)
	if errno == unix.EAGAIN && e.dead.Load() {
		// What was sent before the end is there now, if it was not before.
		if n, errno = e.receiveOnce(p); errno == unix.EAGAIN {
			errno = 0
		}
	}
	e.ended = n == 0 && errno == 0
	return n, errno
}

func (e *mqEnds) receiveOnce(p []byte) (int, syscall.Errno) {
	fd := uintptr(e.in.fd)
	if len(p) >= e.message {
		return mqReceive(fd, p)
	}
	b := takeBlock()
	n, errno := mqReceive(fd, b[:e.message])
	if n <= len(p) || errno != 0 {
		copy(p, b[:n])
		blocks.Put(b)
		return n, errno
	}
	e.bounced, e.taken, e.end = b, 0, n
	return e.takeBounced(p), 0
}

func (e *mqEnds) takeBounced(p []byte) int {
	n := copy(p, e.bounced[e.taken:e.end])
	if e.taken += n; e.taken == e.end {
		blocks.Put(e.bounced)
		e.bounced = nil
	}
	return n
}

// send is send of rawCalls. It leaves one place in the queue, which is for the
// end.
func (e *mqEnds) send(_ uintptr, p []byte) (int, syscall.Errno) {
	fd := uintptr(e.out.fd)
	if e.free == 0 {
		if e.dead.Load() || !mqRead(fd) {
			return 0, unix.EPIPE
		}
		a, err := mqAttributes(int(fd))
		if err != nil {
			return 0, unix.EIO
		}
		if e.free = max(e.depth-1-a.waiting, 0); e.free == 0 {
			return 0, unix.EAGAIN
		}
	}
	p = p[:min(len(p), e.piece)]
	if errno := mqSend(fd, p); errno != 0 {
		return 0, errno
	}
	e.free--
	return len(p), 0
}

// lost says what a deadline means that watch has set.
func (e *mqEnds) lost(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) && e.dead.Load() {
		return os.NewSyscallError("mq_timedsend", unix.EPIPE)
	}
	return err
}

func (s mqStream) tryWrite(p []byte) (int, error) {
	n, err := s.polled.tryWrite(p)
	return n, s.ends.lost(err)
}

func (s mqStream) write(p []byte, until *patience) error {
	return s.ends.lost(s.polled.write(p, until))
}

func (s mqStream) peerReads() bool {
	reads := false
	s.control(func(fd uintptr) { reads = !s.ends.dead.Load() && mqRead(fd) })
	return reads
}

// pidfd returns another descriptor of the peer's process.
func (e *mqEnds) pidfd() (fd int, err error) {
	if e.process == nil {
		return ownProcess{}.pidfd()
	}
	rc, err := e.process.SyscallConn()
	if err != nil {
		return -1, err
	}
	var failed error
	if err := rc.Control(func(p uintptr) { fd, failed = unix.FcntlInt(p, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return -1, closedAs(err)
	}
	return fd, failed
}

func (e *mqEnds) SetReadDeadline(t time.Time) error  { return e.in.set.SetReadDeadline(t) }
func (e *mqEnds) SetWriteDeadline(t time.Time) error { return e.out.set.SetReadDeadline(t) }

// awaitRoom arms the set for writing while a write waits.
func (e *mqEnds) awaitRoom(on bool) error {
	if on {
		return control(e.out.set, unix.EPOLL_CTL_ADD, e.out.fd, unix.EPOLLOUT)
	}
	return control(e.out.set, unix.EPOLL_CTL_DEL, e.out.fd, 0)
}

// withSocket calls f with the queue written to while that cannot be closed.
func (e *mqEnds) withSocket(f func(fd uintptr)) error {
	return withDescriptor(e.out.set, func(uintptr) { f(uintptr(e.out.fd)) })
}

// closeWrite sends the end, for which there is always a place.
func (e *mqEnds) closeWrite() error {
	e.out.sayEnd()
	return nil
}

// Close stops to read, and sends the end: a peer that waits for room sees
// some, and then that nobody is there; one that has seen the end sees that too.
func (e *mqEnds) Close() error {
	mqLock(e.in.fd, unix.F_OFD_SETLK, unix.F_UNLCK, mqReader)
	e.closeWrite()
	b := takeBlock()
	for range mqDepth {
		if _, errno := mqReceive(uintptr(e.in.fd), b[:]); errno != 0 {
			break
		}
	}
	blocks.Put(b)
	err := errors.Join(e.in.Close(), e.out.Close())
	if e.process != nil {
		err = errors.Join(err, e.process.Close())
	}
	<-e.watched
	return err
}

// withDescriptor calls f while the descriptor cannot be closed.
func withDescriptor(file *os.File, f func(fd uintptr)) error {
	rc, err := file.SyscallConn()
	if err != nil {
		return err
	}
	return rc.Control(f)
}

// receiveWord returns the next message of a queue, waiting for it, as long as
// there are no frames yet.
func receiveWord(from mqEnd) (word []byte, err error) {
	rc, err := from.set.SyscallConn()
	if err != nil {
		return nil, err
	}
	var errno syscall.Errno
	err = rc.Read(func(uintptr) bool {
		b := takeBlock()
		defer blocks.Put(b)
		var n int
		n, errno = mqReceive(uintptr(from.fd), b[:])
		word = bytes.Clone(b[:n])
		return errno != unix.EAGAIN
	})
	if err == nil && errno != 0 {
		err = os.NewSyscallError("mq_timedreceive", errno)
	}
	return word, err
}
