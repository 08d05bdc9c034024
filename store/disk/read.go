package disk

import (
	"fmt"
	"os"
	"sort"
	"sync"
	"time"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

const (
	maxOpen   = 8         // segments of a log that stay open for reading
	maxPiece  = 256 << 10 // of a segment that is read at once, but one block in any case
	keptPiece = 1 << 20
)

var pieces = sync.Pool{New: func() any { return new([]byte) }}

// piece is some blocks of a segment that is in use.
type piece struct {
	segment  *segment
	file     file
	off, end int64
	first    uint64 // of the first block
	next     uint64 // all numbers are below that
}

// Read is as in store.Log.
func (l *Log) Read(dst []store.Record, from uint64, max, maxBytes int) ([]store.Record, error) {
	r := reader{log: l, out: dst, room: max, bytes: maxBytes}
	for r.room > 0 && !r.full {
		p, found, err := l.piece(&from, r.bytes)
		if err != nil || !found {
			return r.out, err
		}
		err = r.read(p, from)
		l.release(p.segment)
		if err != nil {
			return r.out, unavailable(wire.ExecutedNo, "reading a log: %w", err)
		}
		from = p.next
	}
	return r.out, nil
}

// reader is a Read under way.
type reader struct {
	log   *Log
	out   []store.Record
	room  int // for so many records more
	bytes int // and so many bytes
	any   bool
	full  bool
}

// read takes the records of p from a number on, and finds what is missing.
func (r *reader) read(p piece, from uint64) error {
	buf := pieces.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= keptPiece {
			pieces.Put(buf)
		}
	}()
	size := int(p.end - p.off)
	if cap(*buf) < size {
		*buf = make([]byte, size)
	}
	b := (*buf)[:size]
	if err := readDamaged(p.file, b, p.off); err != nil {
		return err
	}
	s := scanBytes(b, p.off, r.log.seed, p.first-1, p.next)
	expected := p.first
	for s.next() {
		r.log.missing(p.segment, expected, s.rec.seq)
		expected = s.rec.seq + 1
		if s.rec.seq < from {
			continue
		}
		if !r.take(&s.rec) {
			return nil
		}
	}
	r.log.missing(p.segment, expected, p.next)
	return nil
}

// take reports false when there is no room for rec.
func (r *reader) take(rec *raw) bool {
	if r.room == 0 || r.any && rec.size > r.bytes {
		r.full = true
		return false
	}
	var last store.Record
	if n := len(r.out); n > 0 {
		last = r.out[n-1]
	}
	r.out = append(r.out, rec.record(&last))
	r.room--
	r.bytes -= rec.size
	r.any = true
	return true
}

// piece returns the blocks in which the record from is, or the next one that
// there is. The segment has to be released.
func (l *Log) piece(from *uint64, bytes int) (p piece, found bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return piece{}, false, closedError()
	}
	l.expireLocked(time.Now())
	*from = max(*from, l.first)
	for i := l.segmentOfLocked(*from); i < len(l.segments); i++ {
		s := l.segments[i]
		if len(s.blocks) == 0 {
			continue
		}
		f, err := l.useLocked(s)
		if notThere(err) {
			l.missingLocked(s, max(*from, s.first), s.next, "the file is gone")
			continue
		}
		if err != nil {
			return piece{}, false, fault("reading a log", err)
		}
		b := s.blockOf(*from)
		p := piece{segment: s, file: f, off: s.blocks[b].off, first: s.blocks[b].first}
		want := int64(min(max(bytes, 0), maxPiece))
		for p.end, p.next = s.blockEnd(b); p.end-p.off < want && b+1 < len(s.blocks); {
			b++
			p.end, p.next = s.blockEnd(b)
		}
		return p, true, nil
	}
	return piece{}, false, nil
}

// segmentOfLocked returns the index of the first segment that may hold that
// number or higher ones.
func (l *Log) segmentOfLocked(seq uint64) int {
	return sort.Search(len(l.segments), func(i int) bool { return l.segments[i].next > seq })
}

// useLocked opens a segment for reading.
func (l *Log) useLocked(s *segment) (file, error) {
	if s.file == nil {
		f, err := l.fs.open(s.path, os.O_RDONLY)
		if err != nil {
			return nil, err
		}
		s.file = f
		l.open = append(l.open, s)
		l.closeSomeLocked()
	}
	s.refs++
	return s.file, nil
}

// closeSomeLocked closes the segments that have been open for longest.
func (l *Log) closeSomeLocked() {
	for i := 0; i < len(l.open)-1 && len(l.open) > maxOpen; {
		s := l.open[i]
		if s.refs > 0 {
			i++
			continue
		}
		s.file.Close()
		s.file = nil
		l.open = append(l.open[:i], l.open[i+1:]...)
	}
}

func (l *Log) release(s *segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.releaseLocked(s)
}

func (l *Log) releaseLocked(s *segment) {
	s.refs--
	if s.refs > 0 {
		return
	}
	if l.closed && s != l.active && s.file != nil {
		s.file.Close()
		s.file = nil
	} else if s.next <= l.first && s.count > 0 && !l.closed {
		l.tidy = true // it could not be removed meanwhile
		l.wakeLocked()
	}
}

// missing notes that no record of s from one number up to before another can
// be read, if there is any between them.
func (l *Log) missing(s *segment, from, to uint64) {
	if from < to {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.missingLocked(s, from, to, "no record can be read there")
	}
}

func (l *Log) missingLocked(s *segment, from, to uint64, why string) {
	from = max(from, l.first)
	if from >= to {
		return
	}
	known := (losses)(l.state.Losses)
	fresh := int64(to-from) - int64(known.within(from, to-1))
	if !known.add(from, to-1, fmt.Sprintf("%s: %s", s.name(), why)) {
		return
	}
	l.state.Losses = known
	l.unsaid = true
	if fresh > 0 && s.count > 0 {
		bytes := s.bytes / s.count * fresh
		s.count, s.bytes = max(0, s.count-fresh), max(0, s.bytes-bytes)
		for i := s.blockOf(from); i < len(s.blocks) && s.blocks[i].first < to; i++ {
			b := &s.blocks[i]
			_, next := s.blockEnd(i)
			lost := uint32(min(to, next) - max(from, b.first))
			if lost = min(lost, b.count); lost > 0 {
				b.bytes -= b.bytes / b.count * lost
				b.count -= lost
			}
		}
		l.messages = max(0, l.messages-fresh)
		l.bytes = max(0, l.bytes-bytes)
	}
	if !l.closed {
		l.wakeLocked()
	}
}

// blockLocked takes a block apart. When it cannot be read at the moment, what
// is known of it has to do.
func (l *Log) blockLocked(s *segment, i int) (list []oldest) {
	b := s.blocks[i]
	end, next := s.blockEnd(i)
	f, err := l.useLocked(s)
	if err == nil {
		defer l.releaseLocked(s)
		buf := make([]byte, end-b.off)
		if err = readDamaged(f, buf, b.off); err == nil {
			sc := scanBytes(buf, b.off, l.seed, b.first-1, next)
			expected := b.first
			for sc.next() {
				l.missingLocked(s, expected, sc.rec.seq, "no record can be read there")
				expected = sc.rec.seq + 1
				list = append(list, oldest{seq: sc.rec.seq, time: sc.rec.time, size: int64(sc.rec.size)})
			}
			l.missingLocked(s, expected, next, "no record can be read there")
			return list
		}
	}
	if b.count == 0 {
		return nil
	}
	for n := range uint64(b.count) {
		list = append(list, oldest{seq: b.first + n, time: b.maxTime, size: int64(b.bytes / b.count)})
	}
	return list
}

// verify reads a whole segment and notes what is missing of what was safe.
func (l *Log) verify(s *segment, next uint64) {
	sc := scanFile(s.file, segmentHeader, s.end, l.seed, s.first-1, next)
	expected := s.first
	for sc.next() {
		l.missing(s, expected, sc.rec.seq)
		expected = sc.rec.seq + 1
	}
	if sc.err == nil {
		l.missing(s, expected, s.next)
	}
}

// At is as in store.Log.
func (l *Log) At(t time.Time) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expireLocked(time.Now())
	from := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) > 0 {
		from++ // records know milliseconds only
	}
	for i := l.segmentOfLocked(l.first); i < len(l.segments); i++ {
		s := l.segments[i]
		if len(s.blocks) == 0 || s.maxTime < from {
			continue
		}
		for b := s.blockOf(l.first); b < len(s.blocks); b++ {
			if s.blocks[b].maxTime < from {
				continue
			}
			for _, o := range l.blockLocked(s, b) {
				if o.time >= from && o.seq >= l.first {
					return o.seq
				}
			}
		}
	}
	return l.next
}
