package transport

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"
)

// NoQuietForTest lets no more sockets be quiet until the returned function is
// called.
func NoQuietForTest() (again func()) {
	left := quietLeft().Swap(0)
	return func() { quietLeft().Add(left) }
}

// BareShmForTest connects to a listener of shared memory as a client without
// frames.
func BareShmForTest(ctx context.Context, path string) (*BareShm, error) {
	c, _, err := dialPath(ctx, SchemeShm, path, nil)
	if err != nil {
		return nil, err
	}
	m, err := receiveMemory(ctx, c)
	if err != nil {
		return nil, err
	}
	b := &BareShm{Conn: c, Memory: m.bytes}
	b.s, err = newShmStream(c, m, 1)
	return b, err
}

// BareShm is the client's end of a connection without frames.
type BareShm struct {
	Conn   *net.UnixConn
	Memory []byte
	s      *polled
	r      reader
	closed bool

	writing sync.Mutex
}

func (b *BareShm) Read(p []byte) (int, error) {
	for {
		if n := copy(p, b.r.pending()); n > 0 {
			b.r.r += n
			return n, nil
		}
		b.r.idle()
		if err := b.s.read(&b.r); err != nil {
			return 0, err
		}
	}
}

// Write may be called by several at a time, as that of a socket.
func (b *BareShm) Write(p []byte) (int, error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	return len(p), b.s.write(p, new(patience))
}

func (b *BareShm) CloseWrite() error {
	s := b.s.end.(*shm)
	s.out.end()
	return b.s.control(s.ring)
}

func (b *BareShm) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	return b.s.close()
}

// NoSpinForTest lets nobody look again before he waits, until the returned
// function is called. Nobody may be reading or writing meanwhile.
func NoSpinForTest() (again func()) {
	was := canSpin
	canSpin = false
	return func() { canSpin = was }
}

// WaitsForTest returns how often either end of a connection over shared memory
// has looked into it or was about to wait, and whether its reader sleeps.
func WaitsForTest(c Conn) (looks func() int, asleep func() bool) {
	p := c.(*framed).stream.(*polled)
	recv, n := p.calls.recv, new(atomic.Int64)
	p.calls.recv = func(fd uintptr, b []byte) (int, syscall.Errno) {
		n.Add(1)
		return recv(fd, b)
	}
	return func() int { return int(n.Load()) }, func() bool { return p.end.(*shm).in.shared.readerAsleep.Load() != 0 }
}

// TouchedForTest returns how much of its shared memory a connection's process
// has touched, both ends being that process.
func TouchedForTest(t testing.TB, c Conn) (n int) {
	t.Helper()
	m := c.(*framed).stream.(*polled).end.(*shm).memory.bytes
	pages := make([]byte, len(m)/os.Getpagesize())
	if _, _, errno := syscall.Syscall(syscall.SYS_MINCORE, uintptr(unsafe.Pointer(&m[0])), uintptr(len(m)), uintptr(unsafe.Pointer(&pages[0]))); errno != 0 {
		t.Fatal(errno)
	}
	for _, p := range pages {
		n += int(p&1) * os.Getpagesize()
	}
	return n
}

// WriterWaitsForTest does what a writer does that has had to wait so often
// that bells may be lying about.
func WriterWaitsForTest(c Conn) {
	p := c.(*framed).stream.(*polled)
	s := p.end.(*shm)
	p.control(func(fd uintptr) {
		for range bellsMax {
			s.writerSleeps(fd)
		}
	})
}
