package disk

import (
	"errors"
	"os"
	"slices"
	"sync"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

const (
	// zeroStep is by how much the active segment grows ahead at most, in zeros, so
	// that most small batches do not change its length: to force out a file
	// that has grown takes the file system's journal as well.
	zeroStep = 256 << 10
	// zeroBatch is up to which size batches are worth that.
	zeroBatch = 8 << 10
	// keptBuffer is the longest buffer that is used again.
	keptBuffer = 2 << 20
)

var (
	zeros        [zeroStep]byte
	spareBatches = sync.Pool{New: func() any { return &batch{buf: make([]byte, segmentHeader)} }}
)

// work does what there is to do, and ends. There is one at a time.
func (l *Log) work() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case len(l.queue) > 0:
			b := l.queue[0]
			l.queue = l.queue[1:]
			if len(l.queue) == 0 {
				l.queue = nil
			}
			l.busyLocked(true)
			l.writeLocked(b)
			l.busyLocked(false)
		case (l.tidy || l.unsaid && !l.retry) && !l.closed:
			l.busyLocked(true)
			l.tidyLocked()
			l.busyLocked(false)
		default:
			l.working = false
			return
		}
	}
}

func (l *Log) busyLocked(busy bool) {
	l.busy = busy
	l.idle.Broadcast()
}

// deliverLocked counts results, which are not waited for any longer, and tells
// them, without the lock.
func (l *Log) deliverLocked(results []result) {
	for i := range results {
		l.waiting -= results[i].cost()
		r := &results[i].receipt
		switch {
		case r.Err != nil:
			l.stats.Refused++
		case r.Duplicate:
			l.stats.Duplicates++
		default:
			l.stats.Appended++
		}
	}
	l.mu.Unlock()
	defer l.mu.Lock()
	for i := range results {
		if done := results[i].done; done != nil {
			done(results[i].receipt)
		}
	}
}

// writeLocked brings a batch to its end. It lets go of the lock meanwhile.
func (l *Log) writeLocked(b *batch) {
	var failure *wire.Error
	results := b.results
	if b.records > 0 {
		if failure = l.commitLocked(b); failure != nil {
			results = l.undoLocked(b, failure)
		} else {
			l.publishLocked(b)
		}
	}
	l.deliverLocked(results)
	clear(results)
	b.release()
}

func (b *batch) release() {
	if cap(b.buf) > keptBuffer || cap(b.results) > 1<<14 {
		return
	}
	clear(b.results)
	b.buf, b.results, b.records = b.buf[:segmentHeader], b.results[:0], 0
	spareBatches.Put(b)
}

// publishLocked makes the records of a batch readable.
func (l *Log) publishLocked(b *batch) {
	s := l.active
	at, seq := s.end, l.next
	for i := range b.results {
		r := &b.results[i]
		if r.size == 0 {
			continue
		}
		s.add(seq, r.time, r.size, at)
		if r.id {
			s.newestID = max(s.newestID, nowMilli())
		}
		if seq < l.first { // the limits have removed it already
			s.headCount++
			s.headBytes += int64(r.size)
		}
		at += int64(r.size)
		seq++
	}
	l.young = l.young[b.records:]
	if len(l.young) == 0 {
		l.young = nil
	}
	l.next = seq
	if l.limits.Age > 0 {
		l.sweepLaterLocked()
	}
}

// undoLocked takes back the numbers that a failed batch and those behind it
// have been given: nobody has seen them. It returns all their results.
func (l *Log) undoLocked(b *batch, failure *wire.Error) []result {
	results := b.results
	for _, q := range l.queue {
		results = append(results, q.results...)
	}
	l.queue = nil
	own := l.next + uint64(b.records)
	later := *failure
	later.Details.Executed = wire.ExecutedNo // nothing of them was written
	for i := range results {
		r := &results[i].receipt
		switch {
		case r.Err != nil || r.Seq < l.next:
		case r.Seq < own:
			*r = store.Receipt{Err: failure}
		default:
			*r = store.Receipt{Err: &later}
		}
	}
	for i, y := range l.young {
		if l.next+uint64(i) >= l.first {
			l.messages--
			l.bytes -= y.size
		}
	}
	l.young = nil
	l.first = min(l.first, l.next)
	l.ids.undo(l.next)
	return results
}

// commitLocked writes a batch and forces it to the medium. It lets go of the
// lock meanwhile: only the worker uses what it uses.
func (l *Log) commitLocked(b *batch) *wire.Error {
	s, first, next := l.active, l.first, l.next
	after := next + uint64(b.records)
	unsaid, st := l.unsaid, l.state
	syncs := uint64(0)
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.stats.Syncs += syncs
	}()

	if unsaid {
		l.saveState(&st)
	}
	size := int64(b.size())
	if s != nil && s.count > 0 && s.end+size > l.segmentBytes {
		l.seal(s)
		s = nil
	}
	if s == nil {
		var err error
		s, err = l.begin(next)
		if isFull(err) && l.makeSpace() {
			s, err = l.begin(next)
		}
		if err != nil {
			return fault("beginning a segment", err)
		}
	}
	err := l.writeRecords(s, b)
	if isFull(err) && l.makeSpace() {
		err = l.writeRecords(s, b)
	}
	if isFull(err) && l.cutBack(s) == nil {
		return fault("writing records", err)
	}
	if err == nil {
		syncs++
		err = l.force(s)
	}
	if err == nil {
		err = l.mark.set(min(first, after), after)
	}
	if err != nil {
		l.abandon(s, next)
		return unavailable(wire.ExecutedMaybe, "writing records: %w", err)
	}
	return nil
}

func (l *Log) force(s *segment) error {
	if l.unsafe {
		return nil
	}
	return s.file.sync()
}

// begin makes the segment for the records from that number on. If it fails
// nothing has changed.
func (l *Log) begin(first uint64) (*segment, error) {
	s := &segment{path: l.path(segmentName(first)), first: first, next: first, end: segmentHeader}
	const flag = os.O_RDWR | os.O_CREATE | os.O_EXCL
	f, err := l.fs.open(s.path, flag)
	if errors.Is(err, os.ErrExist) {
		// What is there would begin with a number that nobody has been told,
		// so it is left of an attempt that failed.
		if err = l.fs.remove(s.path); err == nil {
			f, err = l.fs.open(s.path, flag)
		}
	}
	if err != nil {
		return nil, err
	}
	if !l.unsafe {
		if err := l.fs.syncDir(l.dir); err != nil {
			f.Close()
			l.fs.remove(s.path)
			return nil, err
		}
	}
	s.file = f
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.segments); n > 0 && l.segments[n-1].first == first {
		l.segments = l.segments[:n-1] // the attempt
	}
	l.segments = append(l.segments, s)
	l.active = s
	return s, nil
}

// writeRecords writes a batch behind what is in the segment.
func (l *Log) writeRecords(s *segment, b *batch) error {
	records, at := b.buf[segmentHeader:], s.end
	end := at + int64(len(records))
	if at == segmentHeader {
		appendSegmentHeader(b.buf[:0], l.salt, s.first)
		records, at = b.buf, 0
	}
	if end > s.zeroed && len(records) <= zeroBatch {
		// A log of few records stays small.
		upTo := min(end+min(max(end, zeroStep/8), zeroStep), max(l.segmentBytes, end))
		if _, err := s.file.WriteAt(zeros[:upTo-end], end); err == nil {
			s.zeroed = upTo
		} else if !isFull(err) {
			return err
		}
	}
	_, err := s.file.WriteAt(records, at)
	return err
}

// cutBack removes what a write that did not fit has left, for good: nothing
// of records that were refused may be found later.
func (l *Log) cutBack(s *segment) error {
	end := s.end
	if end == segmentHeader {
		end = 0
	}
	s.zeroed = 0
	err := s.file.truncate(end)
	if err == nil {
		err = l.force(s)
	}
	return err
}

// seal ends a segment that is full. No failure does harm: all of it has been
// forced to the medium before.
func (l *Log) seal(s *segment) {
	s.file.truncate(s.end)
	l.retire(s)
	l.mark.sync()
}

// retire closes the active segment.
func (l *Log) retire(s *segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = nil
	if s.refs == 0 {
		s.file.Close()
		s.file = nil
	} else {
		l.open = append(l.open, s)
	}
}

// abandon gives a segment up after an error that leaves in doubt what is on
// the medium. What was safe before is read again. What came last may be there
// after a crash: the next segment begins with the same number, and so it does
// not count.
func (l *Log) abandon(s *segment, next uint64) {
	if s.file.truncate(s.end) == nil {
		s.file.sync()
	}
	l.verify(s, next)
	l.retire(s)
	if s.count == 0 {
		l.drop(s)
	}
}

// saveState writes the state file, and remembers when that failed.
func (l *Log) saveState(st *state) {
	err := st.write(l.fs, l.path("state"))
	l.mu.Lock()
	defer l.mu.Unlock()
	// A loss may have been found meanwhile.
	l.retry = err != nil
	l.unsaid = err != nil || !slices.Equal(st.Losses, l.state.Losses)
	if err != nil {
		l.sweepLaterLocked()
	}
}

// end writes and closes everything. Nobody uses the log any more but readers.
func (l *Log) end() error {
	l.mu.Lock()
	s, first, next := l.active, l.first, l.next
	unsaid, st := l.unsaid, l.state
	l.mu.Unlock()
	if unsaid {
		l.saveState(&st)
	}
	if s != nil {
		l.seal(s)
	}
	err := errors.Join(l.mark.set(first, next), l.mark.close(), l.cursors.close())
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.open {
		if s.refs == 0 && s.file != nil {
			s.file.Close()
			s.file = nil
		}
	}
	if err != nil {
		return fault("closing a log", err)
	}
	return nil
}
