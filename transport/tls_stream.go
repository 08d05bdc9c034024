package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// secured is a stream of bytes that crypto/tls seals and opens, over a stream
// that carries what is sealed.
//
//	framed ⇄ secured ⇄ tls.Conn ⇄ tlsWire ⇄ stream (a socket)
//
// A tls.Conn only knows how to wait, and is broken for good by a write that
// was given up. So it never writes to the socket: what it seals lies in
// memory until this end has sent it, waiting for that or not, as it was asked
// to. Some 64 KiB are sealed at a time, so there is a bound.
type secured struct {
	tls     *tls.Conn
	wire    *tlsWire
	explain func(error) error

	small [512]byte // waited with, where others wait with no buffer
	early []byte    // received before there was a reader, in small

	// busy is held while something is sent. Writing has one goroutine by the
	// rules of Conn; the other one that may come is that of Close or of
	// reading, which answers what TLS asks by itself, and does not wait.
	busy    sync.Mutex
	sending []byte // sealed[sent:] is still to be sent
	sent    int
	owed    int // this many of the next bytes to write are in sending already
}

// sealAtOnce is how many bytes are sealed before they are sent: four records,
// the longest there are.
const sealAtOnce = 64 << 10

// sealedSize has room for them when they are sealed, and for a few words of
// TLS's own.
const sealedSize = sealAtOnce + 1<<10

// sealedMax is how much may wait to be sent. More comes together only if the
// other side has questions of its own and does not read the answers.
const sealedMax = 2 * sealedSize

var sealedBuffers = sync.Pool{New: func() any { return new([sealedSize]byte) }}

func (s *secured) read(r *reader) error {
	if len(s.early) > 0 {
		n := copy(r.room(), s.early)
		s.early = s.early[n:]
		r.received(n)
		return nil
	}
	var n int
	var err error
	if r.idle(); r.holding() || s.wire.in.holding() {
		n, err = s.tls.Read(r.room())
	} else {
		n, err = s.tls.Read(s.small[:])
		copy(r.room(), s.small[:n])
	}
	if s.wire.unsent.Load() && s.busy.TryLock() {
		s.flush(nil) // the next write will say what is wrong
		s.busy.Unlock()
	}
	if n > 0 {
		r.received(n)
		return nil
	}
	return s.readError(err)
}

// readError keeps the errors that framed knows, and explains what the other
// side has to say.
func (s *secured) readError(err error) error {
	switch {
	case err == nil || err == io.EOF || err == io.ErrUnexpectedEOF:
		return err
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
		return err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "remote error" || op.Op == "local error") {
		return s.explain(err)
	}
	return err
}

func (s *secured) readUntil(t time.Time) { s.wire.under.readUntil(t) }

func (s *secured) tryWrite(p []byte) (int, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	if done, err := s.flush(nil); !done || err != nil {
		return 0, err
	}
	n := s.owed
	s.owed = 0
	for n < len(p) {
		end := min(n+sealAtOnce, len(p))
		if _, err := s.tls.Write(p[n:end]); err != nil {
			return n, err
		}
		n = end
		done, err := s.flush(nil)
		if err != nil {
			return n, err
		}
		if done {
			continue
		}
		if n == len(p) {
			// All of it is taken, but somebody has to come and send it.
			n, s.owed = n-1, 1
		}
		return n, nil
	}
	return n, nil
}

func (s *secured) write(p []byte, until *patience) error {
	s.busy.Lock()
	defer s.busy.Unlock()
	if _, err := s.flush(until); err != nil {
		return err
	}
	p = p[s.owed:]
	s.owed = 0
	for len(p) > 0 {
		n := min(sealAtOnce, len(p))
		if _, err := s.tls.Write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
		if _, err := s.flush(until); err != nil {
			return err
		}
	}
	return nil
}

// flush sends what is sealed; it waits for that if there is a patience. The
// caller holds busy.
func (s *secured) flush(until *patience) (done bool, err error) {
	for {
		if s.sent == len(s.sending) {
			s.sending, s.sent = s.wire.exchange(s.sending), 0
			if s.sending == nil {
				return true, nil
			}
		}
		rest := s.sending[s.sent:]
		if until != nil {
			if err := s.wire.under.write(rest, until); err != nil {
				return false, err
			}
			s.sent = len(s.sending)
			continue
		}
		n, err := s.wire.under.tryWrite(rest)
		s.sent += n
		if err != nil || n < len(rest) {
			return false, err
		}
	}
}

// close says goodbye, so that the other side knows that nothing was cut off,
// unless a write is under way.
func (s *secured) close() error {
	if s.busy.TryLock() {
		s.tls.CloseWrite()
		s.flush(nil)
		s.busy.Unlock()
	}
	return s.wire.Close()
}

// tlsWire is the net.Conn that a tls.Conn believes to have. Reading belongs
// to the goroutine that reads the connection. Deadlines are not set on it,
// but below, and in handshake.
type tlsWire struct {
	under stream
	conn  net.Conn // for its addresses

	in      reader      // what is sealed and not yet opened
	spoke   bool        // anything was received
	asked   bool        // for a certificate
	waiting bool        // for the word that it was accepted
	heard   atomic.Bool // that word has come

	handshake *patience // not nil within the handshake: Write waits

	mu     sync.Mutex  // guards out
	out    []byte      // sealed, and to be taken by exchange
	unsent atomic.Bool // there is something in out

	ending sync.Once
	ended  error
}

// newWire owns c, and closes it if it fails.
func newWire(c net.Conn) (*tlsWire, error) {
	under, err := socketStream(c)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &tlsWire{under: under, conn: c}, nil
}

var errFlooded = errors.New("transport: tls: the other side asks much and reads nothing")

func (w *tlsWire) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if n := copy(p, w.in.pending()); n > 0 {
			w.in.r += n
			return n, nil
		}
		if w.waiting && w.heard.Load() {
			return 0, os.ErrDeadlineExceeded
		}
		w.in.idle()
		err := w.under.read(&w.in)
		w.spoke = w.spoke || w.in.begun()
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return 0, os.ErrDeadlineExceeded // which, to crypto/tls, passes
			}
			return 0, err
		}
	}
}

func (w *tlsWire) Write(p []byte) (int, error) {
	if w.handshake != nil {
		return len(p), w.under.write(p, w.handshake)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out == nil {
		w.out = sealedBuffers.Get().(*[sealedSize]byte)[:0]
	}
	if len(w.out)+len(p) > sealedMax {
		return 0, errFlooded
	}
	w.out = append(w.out, p...)
	w.unsent.Store(true)
	return len(p), nil
}

// exchange returns what has been sealed, nil for nothing, for a buffer that
// was sent.
func (w *tlsWire) exchange(sent []byte) (sealed []byte) {
	if cap(sent) == sealedSize {
		sealedBuffers.Put((*[sealedSize]byte)(sent[:sealedSize]))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	sealed, w.out = w.out, nil
	w.unsent.Store(false)
	return sealed
}

// begin lets the handshake wait until then.
func (w *tlsWire) begin(until time.Time) {
	w.handshake = &patience{deadline: until}
	w.under.readUntil(until)
}

// finish ends what begin has begun.
func (w *tlsWire) finish() {
	w.handshake = nil
	w.under.readUntil(time.Time{})
}

func (w *tlsWire) Close() error {
	w.ending.Do(func() { w.ended = w.under.close() })
	return w.ended
}

func (w *tlsWire) LocalAddr() net.Addr              { return w.conn.LocalAddr() }
func (w *tlsWire) RemoteAddr() net.Addr             { return w.conn.RemoteAddr() }
func (w *tlsWire) SetDeadline(time.Time) error      { return nil }
func (w *tlsWire) SetReadDeadline(time.Time) error  { return nil }
func (w *tlsWire) SetWriteDeadline(time.Time) error { return nil }
