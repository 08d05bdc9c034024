package transport

import (
	"net"
	"os"
	"time"
)

// AcceptorForTest returns the accept loop over the given function, and how to
// stop it.
func AcceptorForTest(accept func() (net.Conn, error)) (next func() (net.Conn, error), stop func()) {
	a := newAcceptor(accept)
	return a.next, a.stop
}

// PipeForTest is Pipe for the listening side.
func PipeForTest(in, out *os.File, o *Options) (Conn, error) {
	return newPipe(in, out, o, o.listenFraming())
}

// PlainForTest makes a Conn of any net.Conn, as systems do whose sockets are
// read through package net only.
func PlainForTest(c net.Conn, o *Options, dialled bool) Conn {
	f := o.listenFraming()
	if dialled {
		f = o.dialFraming()
	}
	return newFramed(&plain{conn: c}, Peer{}, o, f)
}

// MemoryForTest returns the server's end of an in-memory connection and the
// bytes at the other end.
func MemoryForTest(o *Options) (Conn, *BareMemory) {
	a, b := newMemory()
	return newFramed(a, self(), o, o.listenFraming()), &BareMemory{m: b}
}

// BareMemory is the end of an in-memory connection without frames.
type BareMemory struct {
	m *memory
	r reader
}

func (b *BareMemory) Read(p []byte) (int, error) {
	for {
		if n := copy(p, b.r.pending()); n > 0 {
			b.r.r += n
			return n, nil
		}
		b.r.idle()
		if err := b.m.read(&b.r); err != nil {
			return 0, err
		}
	}
}

func (b *BareMemory) Write(p []byte) (int, error) { return len(p), b.m.write(p, new(patience)) }

func (b *BareMemory) CloseWrite() error { b.m.closeWrite(); return nil }

func (b *BareMemory) Close() error { return b.m.close() }

// SocketPathForTest is SocketPath for a given directory.
var SocketPathForTest = socketPath

// ServicePipeForTest is the name of the pipe of a service.
func ServicePipeForTest(sid, runtimeDir, name string) string {
	return servicePipe(servicePipes(sid, runtimeDir), name)
}

// SingleForTest is the listener of standard input and output, for any
// connection.
func SingleForTest(addr string, c Conn) Listener { return newSingle(addr, c) }

// GoneForTest is closed when the program behind an exec: connection has ended.
func GoneForTest(c Conn) <-chan struct{} { return c.(*child).gone }

// GraceForTest changes how long such a program has for that.
func GraceForTest(d time.Duration) (restore func()) {
	was := childGrace
	childGrace = d
	return func() { childGrace = was }
}

// FloodForTest seals for a peer who does not read until no more is taken, and
// returns how much that was.
func FloodForTest() (n int) {
	for w := new(tlsWire); ; {
		m, err := w.Write(make([]byte, 100))
		if err != nil {
			return n
		}
		n += m
	}
}
