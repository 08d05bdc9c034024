package transport

import "time"

// stream is the bytes below a connection, which framed makes a Conn of:
// a socket, a pair of pipes, or memory. The rules of Conn on who may call
// what at the same time hold for it as well.
type stream interface {
	// read receives once into r.room(), waiting until there is something,
	// and counts it by r.received. Before it waits it calls r.idle(). At the
	// end it returns io.EOF.
	read(r *reader) error

	// readUntil makes a read that waits at t or later, be it under way or
	// to come, return an error that is os.ErrDeadlineExceeded. The zero time
	// undoes that. Memory knows longAgo only: nobody trickles there.
	readUntil(t time.Time)

	// tryWrite writes what is taken at once.
	tryWrite(p []byte) (int, error)

	// write writes all of p; when the patience is over before, it returns
	// os.ErrDeadlineExceeded.
	write(p []byte, until *patience) error

	// close ends reading and writing; it is called once.
	close() error
}

// patience is how long one Write may take. The clock is read only when the
// first of its parts has to wait.
type patience struct {
	timeout  time.Duration // zero: without end
	deadline time.Time
}

// end returns when the patience is over: the zero time for never.
func (p *patience) end() time.Time {
	if p.deadline.IsZero() && p.timeout > 0 {
		p.deadline = time.Now().Add(p.timeout)
	}
	return p.deadline
}

// longAgo is the deadline that interrupts.
var longAgo = time.Unix(1, 0)
