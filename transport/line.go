package transport

import (
	"bytes"
	"encoding/binary"
	"slices"
)

var newline = []byte{'\n'}

// detect tells the framing of a stream from its first bytes. A length under
// 16 MiB has zero as its fourth byte and JSON text holds none, so four bytes
// always suffice. Of fewer nothing can be said (a newline is also the length
// ten), except that the only whole messages of less than four bytes with
// their newline are {} and []: somebody waits for an answer to them.
func detect(p []byte) Framing {
	switch {
	case len(p) >= headerSize && p[headerSize-1] == 0:
		return FramingLength
	case len(p) >= headerSize, string(p) == "{}\n", string(p) == "[]\n":
		return FramingLine
	}
	return FramingAuto
}

// takeLine is take for the line framing; it skips blank lines.
func (r *reader) takeLine() ([]byte, error) {
	for {
		p := r.pending()
		i := bytes.IndexByte(p[r.scanned:], '\n')
		if i < 0 {
			return nil, r.lineGrows(p)
		}
		end := r.scanned + i
		if n := r.got + end; n > r.limit+1 { // one may be a carriage return
			return nil, r.fail(&FrameError{Limit: r.limit, Actual: int64(n)})
		}
		line := r.cutLine(end, end+1)
		if len(line) > r.limit {
			return nil, r.fail(&FrameError{Limit: r.limit, Actual: int64(len(line))})
		}
		if line != nil {
			return line, nil
		}
	}
}

// lineGrows makes room for more of a line of which p is the latest part.
func (r *reader) lineGrows(p []byte) error {
	r.scanned = len(p)
	if n := r.got + len(p); n > r.limit+1 {
		return r.fail(&FrameError{Limit: r.limit, Actual: int64(n)})
	}
	switch {
	case r.w < blockSize:
	case r.r > 0:
		r.makeRoom(blockSize)
	default:
		r.size = unknown
		r.extend(len(p))
	}
	return nil
}

// extend moves n pending bytes to the long line under way.
func (r *reader) extend(n int) {
	if all := r.got + n; r.long == nil || all > len(r.long.bytes) {
		r.grow(max(all, min(r.growth(all), r.limit+1)))
	}
	r.moveToLong(n)
	r.scanned = 0
}

// cutLine consumes n pending bytes, of which the first end are the rest of
// the line, and returns the line without its carriage return: nil if blank.
func (r *reader) cutLine(end, n int) []byte {
	inBlock := r.size == 0
	var line []byte
	if inBlock {
		line = r.pending()[:end]
		r.r += n
	} else {
		r.extend(end)
		r.r += n - end
		line = r.endLong()
	}
	r.scanned = 0
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if blank(line) {
		return nil
	}
	r.lent = inBlock
	return slices.Clip(line)
}

func blank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// lineReady is ready for the line framing.
func (r *reader) lineReady() bool {
	for {
		p := r.pending()
		i := bytes.IndexByte(p[r.scanned:], '\n')
		if i < 0 {
			r.scanned = len(p)
			return r.got+len(p) > r.limit+1
		}
		end := r.scanned + i
		if r.size != 0 || end > r.limit+1 || !blank(p[:end]) { // too long a line is an error, blank or not
			r.scanned = end
			return true
		}
		r.r += end + 1
		r.scanned = 0
	}
}

// appendLines appends to dst, as lines, the first frames of a run of them
// that do not take it over size; it returns how many bytes of the run they
// were. A frame of which the run holds a part only ends it.
func appendLines(dst, frames []byte, size int) (lines []byte, n int) {
	for len(frames)-n >= headerSize {
		end := n + headerSize + int(binary.LittleEndian.Uint32(frames[n:]))
		if end > len(frames) || len(dst) > 0 && len(dst)+end-n > size {
			break
		}
		start := len(dst)
		dst = append(dst, frames[n+headerSize:end]...)
		// A raw newline is white space in JSON, or else not JSON at all.
		for i, c := range dst[start:] {
			if c == '\n' || c == '\r' {
				dst[start+i] = ' '
			}
		}
		dst = append(dst, '\n')
		n = end
	}
	return dst, n
}
