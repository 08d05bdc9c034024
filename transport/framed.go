package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// framed is a Conn over a stream of bytes. All transports but those that
// are frames by nature use it.
type framed struct {
	stream stream
	peer   Peer

	// A frame that has begun must be whole by then. Setting a deadline wakes
	// a thread, so one that is set stays when the frame is whole; when it
	// passes, it is looked at whose it was.
	frameTimeout time.Duration // zero: no bound
	frameBy      time.Time     // zero: none has begun
	armed        bool          // the stream has a deadline, at frameBy or before

	in      reader      // belongs to the goroutine in ReadFrame
	stopped atomic.Bool // by InterruptRead or Close: the next ReadFrame is to look why

	// framing is what the peer speaks; the reader finds it out, the writer
	// follows.
	framing      atomic.Uint32
	writeTimeout time.Duration
	writeErr     error // belongs to the goroutine in Write; half a frame may be out

	closed atomic.Bool
}

func newFramed(s stream, peer Peer, o *Options, f Framing) *framed {
	c := &framed{stream: s, peer: peer, writeTimeout: o.writeTimeout()}
	c.in.limit = o.maxFrame()
	c.frameTimeout = o.frameTimeout()
	c.in.framing = f
	c.framing.Store(uint32(f))
	return c
}

func (c *framed) ReadFrame() ([]byte, error) {
	if c.stopped.Load() {
		return nil, c.resume()
	}
	for {
		frame, err := c.in.take()
		if frame != nil || err != nil {
			c.tellWriter()
			c.frameBy = time.Time{}
			return frame, err
		}
		if c.frameTimeout > 0 && c.in.begun() && !c.frameBegun() {
			return nil, c.resume()
		}
		if err := c.stream.read(&c.in); err != nil && !c.passed(err) {
			return c.readFailed(err)
		}
	}
}

// tellWriter hands the framing that was found out to the writing side.
func (c *framed) tellWriter() {
	if f := uint32(c.in.framing); c.framing.Load() != f {
		c.framing.Store(f)
	}
}

// passed reports whether err says no more than that a deadline passed which
// is not that of the frame under way.
func (c *framed) passed(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) || c.stopped.Load() || c.late() {
		return false
	}
	c.armed = false
	c.stream.readUntil(time.Time{})
	return !c.stopped.Load() // an interruption may just have been undone
}

// late reports whether the frame under way took too long.
func (c *framed) late() bool {
	return !c.frameBy.IsZero() && !time.Now().Before(c.frameBy)
}

func (c *framed) readFailed(err error) ([]byte, error) {
	late := errors.Is(err, os.ErrDeadlineExceeded)
	switch {
	case c.closed.Load(), late && c.stopped.Load():
		return nil, c.resume()
	case late:
		return nil, c.in.fail(fmt.Errorf("%w within %v", ErrFrameTimeout, c.frameTimeout))
	case err == io.EOF:
		frame, err := c.in.ended()
		c.tellWriter()
		return frame, err
	}
	return nil, c.in.fail(closedAs(err))
}

// resume ends an interruption. The mark goes first: an interruption that
// comes in between is noticed by the next ReadFrame.
func (c *framed) resume() error {
	c.stopped.Store(false)
	if c.closed.Load() {
		c.stopped.Store(true)
		return c.in.fail(net.ErrClosed)
	}
	c.armed = false
	c.stream.readUntil(time.Time{})
	return ErrInterrupted
}

// frameBegun bounds the wait for the rest of a frame. It reports false if an
// interruption was undone by that: it has left its mark in stopped before.
func (c *framed) frameBegun() bool {
	if c.frameBy.IsZero() {
		c.frameBy = time.Now().Add(c.frameTimeout)
	}
	if c.armed {
		return true
	}
	c.armed = true
	c.stream.readUntil(c.frameBy)
	return !c.stopped.Load()
}

func (c *framed) InterruptRead() {
	c.stopped.Store(true)
	c.stream.readUntil(longAgo)
}

func (c *framed) Buffered() bool { return c.in.ready() }

func (c *framed) Detach() { c.in.detach() }

func (c *framed) Peer() Peer { return c.peer }

func (c *framed) TryWrite(frames []byte) (int, error) {
	if c.writeErr != nil {
		return 0, c.writeErr
	}
	if Framing(c.framing.Load()) != FramingLength {
		// Lines have to be made, and while the framing is open only Write
		// leaves it between two frames.
		return 0, nil
	}
	n, err := c.stream.tryWrite(frames)
	return n, c.wrote(err)
}

func (c *framed) Write(frames []byte) error {
	if c.writeErr != nil {
		return c.writeErr
	}
	until := patience{timeout: c.writeTimeout}
	if Framing(c.framing.Load()) == FramingLine {
		return c.wrote(c.writeLines(frames, &until))
	}
	return c.wrote(c.stream.write(frames, &until))
}

// wrote keeps the first error: what the peer received may end anywhere.
func (c *framed) wrote(err error) error {
	if err == nil {
		return nil
	}
	if c.closed.Load() {
		err = net.ErrClosed
	}
	c.writeErr = closedAs(err)
	return c.writeErr
}

func (c *framed) writeLines(frames []byte, until *patience) error {
	b := takeBlock()
	defer blocks.Put(b)
	for len(frames) > 0 {
		lines, n := appendLines(b[:0], frames, blockSize)
		if n == 0 {
			return errPartOfFrame
		}
		if err := c.stream.write(lines, until); err != nil {
			return err
		}
		frames = frames[n:]
	}
	return nil
}

var errPartOfFrame = errors.New("transport: Write of a run that ends within a frame")

func (c *framed) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.stopped.Store(true)
	return c.stream.close()
}
