package disk

import "bytes"

// scanner finds the records in a piece of a segment, whatever else there is.
// Behind damage it goes on with the next thing that is a record beyond doubt:
// its head and body have the right checksums, and its number is higher than
// those before and lower than that of the next segment.
type scanner struct {
	fill  func(p []byte, off int64) error // see readDamaged
	off   int64                           // where to go on
	end   int64                           // of the piece
	seed  uint32
	last  uint64 // number of the record before
	limit uint64 // all numbers are below that

	buf   []byte // holds the piece from start on
	start int64
	fresh bool // nothing has been read into buf

	// After next: the record, valid until the next call, and where it was.
	rec     raw
	at      int64
	skipped int64 // bytes that were none, before it

	err error // of fill
}

// scanChunk is how much is read at once.
const scanChunk = 256 << 10

// scanBytes scans a piece that is in memory and was read from off.
func scanBytes(piece []byte, off int64, seed uint32, last, limit uint64) *scanner {
	return &scanner{off: off, end: off + int64(len(piece)), seed: seed, last: last, limit: limit, buf: piece, start: off}
}

// scanFile scans a file from off to end.
func scanFile(f file, off, end int64, seed uint32, last, limit uint64) *scanner {
	fill := func(p []byte, off int64) error { return readDamaged(f, p, off) }
	return &scanner{fill: fill, off: off, end: end, seed: seed, last: last, limit: limit, fresh: true}
}

// next finds the next record. When there is none, off is where the last one
// ended.
func (s *scanner) next() bool {
	for at := s.off; at >= 0 && s.err == nil; at = s.search(at + recordAlign) {
		if s.try(at) {
			if s.rec.seq >= s.limit {
				return false // from here on the next segment has it
			}
			s.at, s.skipped = at, at-s.off
			s.off, s.last = at+int64(s.rec.size), s.rec.seq
			return true
		}
	}
	return false
}

// try reports whether a record is at that place.
func (s *scanner) try(at int64) bool {
	head := s.window(at, headSize)
	if head == nil {
		return false
	}
	rec, body, ok := parseHead(head, s.seed)
	if !ok || rec.seq <= s.last {
		return false
	}
	all := s.window(at, rec.size)
	if all == nil || !rec.parseBody(all, all[headSize:headSize+body], s.seed) {
		return false
	}
	s.rec = rec
	return true
}

// search returns the next place where a record may be, or -1.
func (s *scanner) search(at int64) int64 {
	for s.end-at >= headSize {
		w := s.ahead(at)
		if w == nil {
			return -1
		}
		for i := 0; ; i += len(recordMagic) {
			n := bytes.Index(w[i:], []byte(recordMagic))
			if n < 0 {
				break
			}
			if i += n; i%recordAlign == 0 {
				return at + int64(i)
			}
		}
		at += int64(len(w))
	}
	return -1
}

// ahead returns what is in memory from off on, at least a head.
func (s *scanner) ahead(off int64) []byte {
	n := min(s.end-off, scanChunk)
	if have := s.start + int64(len(s.buf)) - off; !s.fresh && have >= headSize {
		n = min(n, have)
	}
	return s.window(off, int(n&^(recordAlign-1)))
}

// window returns n bytes of the piece from off on, nil if there are not as
// many or they cannot be read now.
func (s *scanner) window(off int64, n int) []byte {
	if off < s.start || off+int64(n) > s.end {
		return nil
	}
	if i := off - s.start; !s.fresh && i+int64(n) <= int64(len(s.buf)) {
		return s.buf[i : i+int64(n)]
	}
	if s.fill == nil {
		return nil
	}
	size := int(min(max(int64(n), scanChunk), s.end-off))
	if cap(s.buf) < size {
		s.buf = make([]byte, size)
	}
	s.buf, s.start, s.fresh = s.buf[:size], off, false
	if s.err = s.fill(s.buf, off); s.err != nil {
		s.fresh = true
		return nil
	}
	return s.buf[:n]
}
