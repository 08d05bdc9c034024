package transport

import (
	"bytes"
	"encoding/binary"
	"io"
)

// headerSize is the length before a frame, unsigned, little-endian.
const headerSize = 4

// reader cuts the bytes of a stream into frames. It has no lock: it belongs
// to the goroutine that may call ReadFrame.
//
// A frame that fits into a block is returned where it was received. A longer
// one is collected in as many blocks as have really been filled and made
// whole at its end, so a length that is a lie costs its teller's bytes only.
type reader struct {
	limit   int
	framing Framing

	block *block // nil while nothing is held
	r, w  int    // block[r:w] is received and not yet returned

	scanned int // of a line: how many bytes from r on hold no newline

	held    []*block // full blocks of the long frame under way
	first   int      // where that frame begins in held[0]
	heldLen int      // bytes of it in held

	lent bool  // the frame last returned lies in block
	long *long // the frame last returned lies here
	err  error // why no frame will ever be returned again
}

// room is where the stream puts bytes; it takes a block if there is none.
func (r *reader) room() []byte {
	if r.block == nil {
		r.block, r.r, r.w = takeBlock(), 0, 0
	}
	return r.block[r.w:]
}

// received counts n bytes put into room.
func (r *reader) received(n int) { r.w += n }

// idle is called by a stream that has no bytes and is about to wait.
func (r *reader) idle() {
	if r.block != nil && r.r == r.w {
		blocks.Put(r.block)
		r.block, r.r, r.w, r.scanned = nil, 0, 0, 0
	}
}

// holding reports whether a part of a frame is held in a block.
func (r *reader) holding() bool { return r.block != nil }

// begun reports whether a part of a frame has been received.
func (r *reader) begun() bool { return r.w > r.r || r.held != nil }

// fail gives up for good.
func (r *reader) fail(err error) error {
	r.err = err
	for _, b := range r.held {
		blocks.Put(b)
	}
	r.held, r.r = nil, r.w
	r.idle()
	return err
}

// detach leaves the memory of the frame last returned to whoever uses it.
func (r *reader) detach() {
	r.long = nil
	if !r.lent {
		return
	}
	r.lent = false
	rest := r.block[r.r:r.w]
	r.block, r.r, r.w = nil, 0, 0
	if len(rest) > 0 {
		r.received(copy(r.room(), rest))
	}
}

// reclaim ends the use of the frame last returned.
func (r *reader) reclaim() {
	r.lent = false
	if r.long != nil {
		r.long.release()
		r.long = nil
	}
}

// take returns the next frame if all of it has been received, else nil and
// room for more.
func (r *reader) take() ([]byte, error) {
	r.reclaim()
	if r.err != nil {
		return nil, r.err
	}
	if r.framing == FramingAuto {
		r.framing = detect(r.pending())
	}
	switch r.framing {
	case FramingLength:
		return r.takeLength()
	case FramingLine:
		return r.takeLine()
	}
	return nil, nil // fewer than headerSize bytes, at the start of a block
}

// pending returns the bytes received and not yet returned, of the last block.
func (r *reader) pending() []byte {
	if r.block == nil {
		return nil
	}
	return r.block[r.r:r.w]
}

func (r *reader) takeLength() ([]byte, error) {
	if r.held != nil {
		return r.takeHeld()
	}
	p := r.pending()
	if len(p) < headerSize {
		r.makeRoom(headerSize)
		return nil, nil
	}
	size := binary.LittleEndian.Uint32(p)
	if uint64(size) > uint64(r.limit) {
		return nil, r.fail(&FrameError{Limit: r.limit, Actual: int64(size)})
	}
	end := headerSize + int(size)
	if len(p) >= end {
		r.r += end
		r.lent = true
		return p[headerSize:end:end], nil
	}
	if end <= blockSize {
		r.makeRoom(end)
	} else if r.w == blockSize {
		// The header is kept at the front of what is held: its length says
		// when the frame is whole.
		r.hold()
	}
	return nil, nil
}

// takeHeld goes on with a long frame of known length.
func (r *reader) takeHeld() ([]byte, error) {
	head := r.held[0][r.first:]
	end := headerSize + int(binary.LittleEndian.Uint32(head))
	if r.heldLen+len(r.pending()) < end {
		if r.w == blockSize {
			r.hold()
		}
		return nil, nil
	}
	r.r += end - r.heldLen
	return r.assemble(headerSize, end), nil
}

// makeRoom moves what is pending so that n bytes from r on fit the block.
func (r *reader) makeRoom(n int) {
	if r.block != nil && r.r+n > blockSize {
		r.w = copy(r.block[:], r.block[r.r:r.w])
		r.r = 0
	}
}

// hold puts a full block aside.
func (r *reader) hold() {
	if r.held == nil {
		r.first = r.r
	}
	r.held = append(r.held, r.block)
	r.heldLen += r.w - r.r
	r.block, r.r, r.w, r.scanned = nil, 0, 0, 0
}

// assemble makes one piece of bytes [from:to] of the long frame, of which
// those before r lie in the last block.
func (r *reader) assemble(from, to int) []byte {
	r.long = takeLong(to - from)
	frame := r.long.bytes[: to-from : to-from]
	rest := frame
	skip := r.first + from
	for _, b := range r.held {
		rest = rest[copy(rest, b[skip:]):]
		blocks.Put(b)
		skip = 0
	}
	if len(rest) > 0 {
		copy(rest, r.block[:])
	}
	r.held, r.heldLen = nil, 0
	return frame
}

// ready reports whether take would return a frame or an error.
func (r *reader) ready() bool {
	if r.err != nil {
		return true
	}
	p := r.pending()
	if r.framing == FramingAuto {
		r.framing = detect(p)
	}
	switch r.framing {
	case FramingLine:
		return r.lineReady()
	case FramingLength:
		if r.held != nil {
			p = r.held[0][r.first:]
		}
		if len(p) < headerSize {
			return false
		}
		size := binary.LittleEndian.Uint32(p)
		return uint64(size) > uint64(r.limit) || r.heldLen+r.w-r.r >= headerSize+int(size)
	}
	return false
}

// ended tells the reader that the stream has ended. It returns the last line
// where only its newline is missing: JSON that was cut off is never whole, so
// nothing can be mistaken.
func (r *reader) ended() ([]byte, error) {
	p := r.pending()
	if r.framing == FramingAuto && bytes.HasSuffix(p, newline) {
		r.framing = FramingLine
		if line, err := r.takeLine(); line != nil || err != nil {
			return line, err
		}
		p = r.pending()
	}
	if len(p) == 0 && r.held == nil {
		return nil, r.fail(io.EOF)
	}
	if r.framing == FramingLine {
		line := r.cutLine(len(p), len(p))
		switch {
		case line == nil:
			return nil, r.fail(io.EOF)
		case len(line) > r.limit:
			return nil, r.fail(&FrameError{Limit: r.limit, Actual: int64(len(line))})
		}
		return line, nil
	}
	return nil, r.fail(io.ErrUnexpectedEOF)
}
