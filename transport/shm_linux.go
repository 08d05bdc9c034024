package transport

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// shmListener is a Unix socket whose clients are each given memory of their
// own.
type shmListener struct{ *unixListener }

func listenShm(ctx context.Context, path string, o *Options) (Listener, error) {
	m, err := newSharedMemory()
	if err != nil {
		return nil, err // a system that has none is to say so now
	}
	m.drop()
	l, err := listenUnix(ctx, path, o)
	if err != nil {
		return nil, err
	}
	s := &shmListener{l.(*unixListener)}
	s.acceptor = newAcceptor(s.accept)
	return s, nil
}

// accept takes the memory before the connection: where the system has no
// descriptors left, clients wait to be accepted and are not turned away.
func (l *shmListener) accept() (net.Conn, error) {
	m, err := newSharedMemory()
	if err != nil {
		return nil, err
	}
	c, err := l.listener.AcceptUnix()
	if err != nil {
		m.drop()
		return nil, err
	}
	return &guest{c, m}, nil
}

// guest is a client that was not given its memory yet.
type guest struct {
	*net.UnixConn
	memory *sharedMemory
}

func (g *guest) Close() error {
	g.memory.drop()
	return g.UnixConn.Close()
}

func (l *shmListener) Accept() (Conn, error) {
	for {
		c, err := l.acceptor.next()
		if err != nil {
			return nil, err
		}
		g := c.(*guest)
		conn, err := g.admit(l.options)
		if err == nil {
			return conn, nil
		}
		g.Close() // whoever the kernel cannot name is not served
	}
}

func (g *guest) admit(o *Options) (Conn, error) {
	peer, err := peerOf(g.UnixConn)
	if err != nil {
		return nil, err
	}
	if err := g.memory.handOver(g.UnixConn); err != nil {
		return nil, err
	}
	return newShm(g.UnixConn, g.memory, 0, peer, o, o.listenFraming())
}

func (l *shmListener) Addr() string { return SchemeShm + ":" + l.path }

// handOverPatience is how long a client waits to be accepted, which on other
// sockets it would wait with its first request: a service that stands still
// or has no descriptors left takes that long.
const handOverPatience = 30 * time.Second

func dialShm(ctx context.Context, path string, o *Options) (Conn, error) {
	soon, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	c, peer, err := dialPath(soon, SchemeShm, path, o)
	if err != nil {
		return nil, err
	}
	ctx, cancel = context.WithTimeout(ctx, handOverPatience)
	defer cancel()
	m, err := receiveMemory(ctx, c)
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("transport: shm:%s: %w", path, err)
	}
	conn, err := newShm(c, m, 1, peer, o, o.dialFraming())
	if err != nil {
		m.drop()
		c.Close()
	}
	return conn, err
}

// shm is what a polled needs to go through shared memory: the two rings in
// place of the two system calls, and a socket for what memory cannot do.
//
// Whoever has nothing to do says so in the ring and waits for the socket; the
// peer who sees that rings the bell, a byte on the socket. The bytes are
// hardly ever received: each one that arrives wakes, received or not, and one
// that is received wakes its sender as well. Other ways to wake were dropped:
// an event descriptor can be made to block by the peer, who shares it, and a
// futex holds a thread of its own for everyone who waits.
//
// That the socket ends is how the death of the peer is known.
type shm struct {
	conn   *net.UnixConn
	memory *sharedMemory
	in     ringReader
	out    ringWriter
	spin   spin // of the writer

	bells atomic.Uint32 // at most as many are there to be received
	dead  atomic.Bool   // nobody is at the other end
}

// bellsMax is how many bells may lie about. The system's buffers have room for
// many times that.
const bellsMax = 16

// bellRoom is the socket's send buffer, a quarter of which counts as full:
// bells take some 800 bytes each.
const bellRoom = 64 << 10

// newShm makes a Conn that writes into one ring and reads from the other.
func newShm(c *net.UnixConn, m *sharedMemory, writes int, peer Peer, o *Options, f Framing) (Conn, error) {
	s, err := newShmStream(c, m, writes)
	if err != nil {
		return nil, err
	}
	peer.source = s.askable()
	return newFramed(s, peer, o, f), nil
}

func newShmStream(c *net.UnixConn, m *sharedMemory, writes int) (*polled, error) {
	s := &shm{conn: c, memory: m, in: newRingReader(m.bytes, 1-writes), out: newRingWriter(m.bytes, writes)}
	if err := c.SetWriteBuffer(bellRoom); err != nil {
		return nil, err
	}
	p, err := newPolled(c, c, s, &rawCalls{
		recvName: "reading shared memory", recv: s.recv,
		sendName: "writing shared memory", send: s.send,
	})
	if err != nil {
		return nil, err
	}
	p.peer = s
	return p, nil
}

func (s *shm) recv(fd uintptr, p []byte) (int, syscall.Errno) {
	dead := s.dead.Load() // before looking: the dead write no more
	n, wake, errno := s.in.some(p)
	if wake {
		s.ring(fd)
	}
	if errno == syscall.EAGAIN && dead {
		return 0, 0
	}
	return n, errno
}

func (s *shm) send(fd uintptr, p []byte) (int, syscall.Errno) {
	if s.dead.Load() {
		return 0, syscall.EPIPE
	}
	n, wake, errno := s.out.some(p)
	if wake {
		s.ring(fd)
	}
	return n, errno
}

var bell = []byte{'.'}

// ring wakes the peer. Where there is no room for one more bell there are
// enough.
func (s *shm) ring(fd uintptr) { s.sound(fd, bell) }

// sound sends what may be nothing, to find out whether somebody is there.
func (s *shm) sound(fd uintptr, p []byte) {
	for {
		switch _, errno := socketCalls.send(fd, p); errno {
		case syscall.EINTR:
			continue
		case 0, syscall.EAGAIN:
		default:
			s.dead.Store(true)
		}
		return
	}
}

func (s *shm) readerSleeps(fd uintptr) bool {
	s.listen(fd) // before sleep: a bell that is cleared away wakes nobody
	may, errno := s.in.sleep()
	return may && errno == 0 && !s.dead.Load()
}

func (s *shm) writerSleeps(fd uintptr) bool {
	if s.spin.until(s.out.roomy) {
		return false
	}
	if s.listen(fd) {
		// One of the bells may have been for the reader: it has to look
		// again, and finds that no time has passed.
		s.conn.SetReadDeadline(longAgo)
	}
	may, errno := s.out.sleep()
	return may && errno == 0 && !s.dead.Load()
}

// left is asked when the peer's end of the stream was read, which it says
// after it has said this, and before its socket ends.
func (s *shm) left() bool { return s.out.unread() }

// listen is called by whoever is about to wait. It finds out whether the peer
// has gone, which the system does not say again if it said so while nobody
// waited, and clears away the bells when there may be many.
func (s *shm) listen(fd uintptr) (cleared bool) {
	if s.bells.Add(1) < bellsMax {
		s.sound(fd, nil)
		return false
	}
	s.bells.Store(0)
	var heard [8 * bellsMax]byte
	for range bellsMax { // whoever rings without end is not listened to
		n, errno := socketCalls.recv(fd, heard[:])
		switch {
		case errno == syscall.EAGAIN:
			return true
		case errno == syscall.EINTR:
		case errno != 0 || n == 0:
			s.dead.Store(true)
			return true
		}
	}
	return true
}

func (s *shm) SetReadDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

func (s *shm) SetWriteDeadline(t time.Time) error { return s.conn.SetWriteDeadline(t) }

// Close closes the socket first: when that is done, nobody is in the memory,
// and nobody will be.
func (s *shm) Close() error {
	s.in.leave() // before end: see left
	s.out.end()
	err := s.conn.Close()
	s.memory.drop()
	return err
}
