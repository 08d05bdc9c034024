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
// one is received into memory of its own, where it is returned: all of it
// where its length is known, what fills a block of a line. That memory grows
// with what has really arrived, so a length that is a lie costs its teller's
// bytes only: see growth.
type reader struct {
	block *block // nil while nothing is held
	r, w  int    // block[r:w] is received and not yet returned

	long *long // the long frame under way, or else the one last returned
	size int   // of the long frame under way; 0: there is none; unknown: a line
	got  int   // how much of it lies in long

	scanned int // of a line: how many bytes from r on hold no newline
	proven  int // the length of the last long frame that arrived

	limit   int
	framing Framing
	lent    bool  // the frame last returned lies in block
	another bool  // the frame last returned was long, and so may be the next
	err     error // why no frame will ever be returned again
}

// unknown is the size of a line that has not ended.
const unknown = -1

// room is where the stream puts bytes; it takes a block if there is none.
func (r *reader) room() []byte {
	if r.size > 0 {
		return r.long.bytes[r.got:min(r.size, len(r.long.bytes), r.got+receiveMax)]
	}
	if r.block == nil {
		r.block, r.r, r.w = takeBlock(), 0, 0
	}
	if r.another && r.w == 0 {
		return r.block[:peekSize]
	}
	return r.block[r.w:]
}

// received counts n bytes put into room.
func (r *reader) received(n int) {
	if r.size > 0 {
		r.got += n
		return
	}
	r.w += n
}

// idle is called by a stream that has no bytes and is about to wait.
func (r *reader) idle() {
	if r.block != nil && r.r == r.w {
		blocks.Put(r.block)
		r.block, r.r, r.w, r.scanned = nil, 0, 0, 0
	}
}

// holding reports whether a part of a frame is held.
func (r *reader) holding() bool { return r.block != nil || r.size != 0 }

// begun reports whether a part of a frame has been received.
func (r *reader) begun() bool { return r.w > r.r || r.size != 0 }

// fail gives up for good.
func (r *reader) fail(err error) error {
	r.err = err
	r.size, r.got, r.r = 0, 0, r.w
	r.reclaim()
	r.idle()
	return err
}

// detach leaves the memory of the frame last returned to whoever uses it.
func (r *reader) detach() {
	if r.size == 0 {
		r.long = nil
	}
	if !r.lent {
		return
	}
	r.lent = false
	rest := r.block[r.r:r.w]
	r.block, r.r, r.w = nil, 0, 0
	if len(rest) > 0 {
		r.block = takeBlock() // all of it: room may be less
		r.received(copy(r.block[:], rest))
	}
}

// reclaim ends the use of the frame last returned.
func (r *reader) reclaim() {
	r.lent = false
	if r.long != nil && r.size == 0 {
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
	if r.size > 0 {
		return r.takeLong(), nil
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
		r.lent, r.another = true, false
		return p[headerSize:end:end], nil
	}
	switch arrived := len(p) - headerSize; {
	case end <= blockSize:
		r.makeRoom(end)
	case r.growth(arrived) <= blockSize:
		r.makeRoom(blockSize)
	default:
		r.r += headerSize
		r.size = int(size)
		r.grow(min(r.size, r.growth(arrived)))
		r.moveToLong(arrived)
	}
	return nil, nil
}

// takeLong returns the long frame under way if it is whole, else nil and
// memory for more of it.
func (r *reader) takeLong() []byte {
	switch r.got {
	case r.size:
		return r.endLong()
	case len(r.long.bytes):
		r.grow(min(r.size, r.growth(r.got)))
	}
	return nil
}

// growth returns how much memory a frame may have of which so much has
// arrived: four times that, or what the connection has proven to need. It is
// more than a block once half a block has come.
func (r *reader) growth(arrived int) int { return max(4*arrived, r.proven) }

// grow gives the long frame under way memory for n bytes.
func (r *reader) grow(n int) {
	old := r.long
	r.long = takeLong(n)
	if old != nil {
		copy(r.long.bytes, old.bytes[:r.got])
		old.release()
	}
}

// moveToLong moves n pending bytes to the long frame under way. What was
// before them in the block is no longer needed.
func (r *reader) moveToLong(n int) {
	copy(r.long.bytes[r.got:], r.pending()[:n])
	r.got += n
	r.r += n
	r.idle()
}

// endLong returns the long frame under way, which is whole.
func (r *reader) endLong() []byte {
	frame := r.long.bytes[:r.got:r.got]
	r.proven, r.another = r.got, true
	r.size, r.got = 0, 0
	return frame
}

// makeRoom moves what is pending so that n bytes from r on fit the block.
func (r *reader) makeRoom(n int) {
	if r.block != nil && r.r+n > blockSize {
		r.w = copy(r.block[:], r.block[r.r:r.w])
		r.r = 0
	}
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
		if r.size > 0 {
			return r.got == r.size
		}
		if len(p) < headerSize {
			return false
		}
		size := binary.LittleEndian.Uint32(p)
		return uint64(size) > uint64(r.limit) || len(p) >= headerSize+int(size)
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
	if !r.begun() {
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
