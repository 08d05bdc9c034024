//go:build unix

package transport

import (
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"
)

// polled is a stream over descriptors that Go's poller watches. It makes its
// system calls itself, through the poller's RawConn: what net.Conn tells the
// scheduler with each read and write costs a third of a round trip.
//
// The functions given to RawConn are made once, so that reading and writing
// allocate nothing; what they work on is in the fields beside them.
type polled struct {
	rd       syscall.RawConn
	readOnce func(fd uintptr) bool
	into     *reader
	readErr  error
	spin     spin

	wr        syscall.RawConn
	writeSome func(fd uintptr) bool
	rest      []byte // what is still to be written
	writeErr  error

	calls *rawCalls
	end   ends

	// Of a quiet socket, whose descriptor is not the one that is waited for:
	room   quietRoom // else nil
	socket int32     // else -1

	peer sleepers // whoever has to be told before one waits, else nil

	wait  bool // write: for room, rather than give up
	timed bool // a write deadline is set, of this write or an earlier one: see framed.armed

	wider func(fd uintptr) // makes a send buffer larger that is as the system made it; nil: cannot, or done
}

// quietRoom is what a quiet socket does otherwise when it writes: it waits
// for room as if it were something to read, once it has been armed.
type quietRoom interface {
	awaitRoom(bool) error
	withSocket(func(fd uintptr)) error
}

// sleepers is a peer that wakes those only who told it that they sleep.
type sleepers interface {
	// Each reports false if there is something to do instead.
	readerSleeps(fd uintptr) bool
	writerSleeps(fd uintptr) bool

	// left reports whether the peer has said that it reads no more.
	left() bool
}

// ends is what a polled needs of the connection or files that own the
// descriptors.
type ends interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
	Close() error
}

// rawCalls are the two system calls, as sockets or as files have them. They
// never wait and return EAGAIN instead.
type rawCalls struct {
	recv, send         func(fd uintptr, p []byte) (int, syscall.Errno)
	recvName, sendName string
}

func newPolled(rd, wr syscall.Conn, e ends, calls *rawCalls) (*polled, error) {
	s := &polled{end: e, calls: calls, socket: -1}
	var err error
	if s.rd, err = rd.SyscallConn(); err != nil {
		return nil, err
	}
	if s.wr = s.rd; rd != wr {
		if s.wr, err = wr.SyscallConn(); err != nil {
			return nil, err
		}
	}
	s.readOnce, s.writeSome = s.doReadOnce, s.doWriteSome
	return s, nil
}

// control calls f with the descriptor written to, which cannot be closed
// meanwhile.
func (s *polled) control(f func(fd uintptr)) error {
	if s.room != nil {
		return s.room.withSocket(f)
	}
	return s.wr.Control(f)
}

func (s *polled) read(r *reader) error {
	s.into, s.readErr = r, nil
	if err := s.rd.Read(s.readOnce); err != nil {
		return err
	}
	return s.readErr
}

func (s *polled) doReadOnce(fd uintptr) bool {
	if s.socket >= 0 {
		fd = uintptr(s.socket)
	}
	if s.receive(fd) || s.spin.until(func() bool { return s.receive(fd) }) {
		return true
	}
	s.into.idle()
	if s.peer != nil && !s.peer.readerSleeps(fd) {
		return s.receive(fd)
	}
	return false
}

// receive reports false if there is nothing to receive.
func (s *polled) receive(fd uintptr) bool {
	for {
		n, errno := s.calls.recv(fd, s.into.room())
		switch errno {
		case 0:
			if n == 0 {
				s.readErr = io.EOF
			}
			s.into.received(n)
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			s.readErr = os.NewSyscallError(s.calls.recvName, errno)
			return true
		}
	}
}

func (s *polled) tryWrite(p []byte) (int, error) {
	s.rest, s.wait, s.writeErr = p, false, nil
	err := s.send()
	if s.timed && errors.Is(err, os.ErrDeadlineExceeded) { // that of an earlier write
		s.timed = false
		s.end.SetWriteDeadline(time.Time{})
		err = s.send()
	}
	n := len(p) - len(s.rest)
	s.rest = nil
	if err == nil {
		err = s.writeErr
	}
	return n, err
}

// send calls doWriteSome, again and again where that waits for room.
func (s *polled) send() error {
	if s.room != nil {
		return s.wr.Read(s.writeSome)
	}
	return s.wr.Write(s.writeSome)
}

func (s *polled) write(p []byte, until *patience) error {
	n, err := s.tryWrite(p)
	if n == len(p) || err != nil {
		return err
	}
	s.widen(len(p) - n)
	if s.room != nil {
		if err := s.room.awaitRoom(true); err != nil {
			return err
		}
		defer s.room.awaitRoom(false)
	}
	s.rest, s.wait = p[n:], true
	defer func() { s.rest = nil }()
	for {
		end := until.end()
		if !end.IsZero() && !s.timed {
			s.timed = true
			s.end.SetWriteDeadline(end)
		}
		err := s.send()
		if err == nil {
			return s.writeErr
		}
		if !s.timed || !errors.Is(err, os.ErrDeadlineExceeded) || !time.Now().Before(end) {
			return err
		}
		s.timed = false // it was that of an earlier write
	}
}

// wideBuffer is the send buffer of a socket or FIFO over which long frames go.
// The usual 208 or 64 KiB take a long frame in pieces, with the two processes
// waking each other for every one of them.
const wideBuffer = 1 << 20

// widen makes the send buffer larger, as far as the system allows, if there
// is no room for so much.
func (s *polled) widen(missing int) {
	if s.wider == nil || missing < blockSize {
		return
	}
	s.control(s.wider)
	s.wider = nil
}

// widerSocket is for Unix sockets. Linux counts twice what it is asked for.
func widerSocket(fd uintptr) {
	ask := wideBuffer
	if runtime.GOOS == "linux" {
		ask /= 2
	}
	syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, ask)
}

func (s *polled) doWriteSome(fd uintptr) bool {
	if s.socket >= 0 {
		fd = uintptr(s.socket)
	}
	for len(s.rest) > 0 {
		n, errno := s.calls.send(fd, s.rest[:min(len(s.rest), sendMax)])
		switch errno {
		case 0:
			s.rest = s.rest[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			if !s.wait || s.peer == nil || s.peer.writerSleeps(fd) {
				return !s.wait
			}
		default:
			s.writeErr = os.NewSyscallError(s.calls.sendName, errno)
			return true
		}
	}
	return true
}

func (s *polled) readUntil(t time.Time) { s.end.SetReadDeadline(t) }

func (s *polled) close() error { return s.end.Close() }

// fileCalls read and write by the calls that every descriptor has.
var fileCalls = &rawCalls{
	recvName: "read", recv: func(fd uintptr, p []byte) (int, syscall.Errno) {
		return asErrno(syscall.Read(int(fd), p))
	},
	sendName: "write", send: func(fd uintptr, p []byte) (int, syscall.Errno) {
		return asErrno(syscall.Write(int(fd), p))
	},
}

func asErrno(n int, err error) (int, syscall.Errno) {
	if err == nil {
		return n, 0
	}
	errno, ok := err.(syscall.Errno)
	if !ok {
		errno = syscall.EIO
	}
	return 0, errno
}
