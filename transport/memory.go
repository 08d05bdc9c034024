package transport

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// memoryBound is how many bytes wait in each direction of an in-memory
// connection before a write has to wait, as in a socket's buffer.
const memoryBound = 1 << 20

// memoryKept is how large an empty buffer may be and not be given up.
const memoryKept = 4 << 10

// memory is a stream over two queues in memory. Its waiting is sync.Cond's,
// so it can be used in the bubbles of testing/synctest.
type memory struct{ in, out *queue }

func newMemory() (a, b *memory) {
	x, y := newQueue(), newQueue()
	return &memory{in: x, out: y}, &memory{in: y, out: x}
}

func (m *memory) read(r *reader) error { return m.in.read(r) }

func (m *memory) readUntil(t time.Time) {
	m.in.change(func(q *queue) { q.interrupted = t.Equal(longAgo) })
}

func (m *memory) tryWrite(p []byte) (int, error) { return m.out.tryWrite(p) }

func (m *memory) write(p []byte, until *patience) error { return m.out.write(p, until) }

// close lets the peer read what was written before.
func (m *memory) close() error {
	m.in.change(func(q *queue) { q.readerGone = true })
	m.out.change(func(q *queue) { q.writerGone = true })
	return nil
}

// closeWrite is the end of one direction only.
func (m *memory) closeWrite() { m.out.change(func(q *queue) { q.ended = true }) }

// queue is one direction.
type queue struct {
	mu      sync.Mutex
	changed sync.Cond // broadcast when anything below changes
	buf     []byte    // buf[start:] is written and not yet read
	start   int

	ended       bool // nothing will be written any more
	writerGone  bool // the writing end is closed
	readerGone  bool // the reading end is closed
	interrupted bool // the reader is to return
}

func newQueue() *queue {
	q := new(queue)
	q.changed.L = &q.mu
	return q
}

func (q *queue) change(f func(*queue)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f(q)
	q.changed.Broadcast()
}

func (q *queue) read(r *reader) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		switch {
		case q.readerGone:
			return net.ErrClosed
		case q.interrupted:
			return os.ErrDeadlineExceeded
		case q.start < len(q.buf):
			n := copy(r.room(), q.buf[q.start:])
			r.received(n)
			q.start += n
			q.shrinkLocked()
			q.changed.Broadcast()
			return nil
		case q.ended || q.writerGone:
			return io.EOF
		}
		r.idle()
		q.changed.Wait()
	}
}

// shrinkLocked gives room back.
func (q *queue) shrinkLocked() {
	if q.start < len(q.buf) {
		return
	}
	q.buf, q.start = q.buf[:0], 0
	if cap(q.buf) > memoryKept {
		q.buf = nil
	}
}

func (q *queue) tryWrite(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.tryWriteLocked(p)
}

func (q *queue) tryWriteLocked(p []byte) (int, error) {
	switch {
	case q.writerGone:
		return 0, net.ErrClosed
	case q.readerGone || q.ended:
		return 0, io.ErrClosedPipe
	}
	n := min(len(p), memoryBound-(len(q.buf)-q.start))
	if n <= 0 {
		return 0, nil
	}
	if q.start > 0 && len(q.buf)+n > cap(q.buf) {
		q.buf = q.buf[:copy(q.buf, q.buf[q.start:])]
		q.start = 0
	}
	q.buf = append(q.buf, p[:n]...)
	q.changed.Broadcast()
	return n, nil
}

func (q *queue) write(p []byte, until *patience) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	expired := false
	for {
		n, err := q.tryWriteLocked(p)
		if p = p[n:]; len(p) == 0 || err != nil {
			return err
		}
		if expired {
			return os.ErrDeadlineExceeded
		}
		if end := until.end(); !end.IsZero() {
			t := time.AfterFunc(time.Until(end), func() {
				q.change(func(*queue) { expired = true })
			})
			q.changed.Wait()
			t.Stop()
			continue
		}
		q.changed.Wait()
	}
}
