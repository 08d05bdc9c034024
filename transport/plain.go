package transport

import (
	"io"
	"time"
)

// plain is a stream over any net.Conn or file, for connections that have no
// descriptor of their own to read from. It waits with a small buffer where
// others wait with none, and cannot write without perhaps waiting.
type plain struct {
	conn  plainConn
	small [512]byte
}

// plainConn is what plain needs of a net.Conn.
type plainConn interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

func (s *plain) read(r *reader) error {
	if r.idle(); r.holding() {
		n, err := s.conn.Read(r.room())
		return s.received(r, n, err)
	}
	n, err := s.conn.Read(s.small[:])
	if n > 0 {
		copy(r.room(), s.small[:n])
	}
	return s.received(r, n, err)
}

// received lets an error that came with bytes come again without them.
func (s *plain) received(r *reader, n int, err error) error {
	if n > 0 {
		r.received(n)
		return nil
	}
	return err
}

func (s *plain) tryWrite([]byte) (int, error) { return 0, nil }

func (s *plain) write(p []byte, until *patience) error {
	s.conn.SetWriteDeadline(until.end())
	_, err := s.conn.Write(p)
	return err
}

func (s *plain) readUntil(t time.Time) { s.conn.SetReadDeadline(t) }

func (s *plain) close() error { return s.conn.Close() }
