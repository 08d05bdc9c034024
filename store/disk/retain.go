package disk

import (
	"slices"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// front is the block with the oldest records, taken apart: what limits remove
// next. Guarded by Log.mu.
type front struct {
	segment *segment
	records []oldest
	i       int
}

// oldest is what limits have to know of a record.
type oldest struct {
	seq  uint64
	time int64
	size int64
}

// sweepDelay bounds how long what can be removed takes up space.
const sweepDelay = 30 * time.Second

func nowMilli() int64 { return time.Now().UnixMilli() }

// oldestLocked returns the oldest record.
func (l *Log) oldestLocked() (o oldest, found bool) {
	if l.messages == 0 || l.closed {
		return oldest{}, false
	}
	for l.first < l.next {
		f := &l.front
		for f.i < len(f.records) && f.records[f.i].seq < l.first {
			f.i++
		}
		if f.i < len(f.records) && f.records[0].seq <= l.first {
			return f.records[f.i], true
		}
		l.loadFrontLocked()
	}
	if i := l.first - l.next; i < uint64(len(l.young)) {
		y := l.young[i]
		return oldest{seq: l.first, time: y.time, size: y.size}, true
	}
	return oldest{}, false
}

// loadFrontLocked takes apart the block of the first record. When there is
// none with that number it goes on to the next one.
func (l *Log) loadFrontLocked() {
	i := l.segmentOfLocked(l.first)
	if i == len(l.segments) {
		l.first = l.next
		return
	}
	s := l.segments[i]
	if len(s.blocks) == 0 {
		l.first = min(l.next, s.next)
		return
	}
	l.first = max(l.first, s.blocks[0].first)
	b := s.blockOf(l.first)
	_, next := s.blockEnd(b)
	l.front = front{segment: s, records: l.blockLocked(s, b)}
	for l.front.i < len(l.front.records) && l.front.records[l.front.i].seq < l.first {
		l.front.i++
	}
	if l.front.i == len(l.front.records) {
		l.first = next
		return
	}
	l.first = l.front.records[l.front.i].seq
	l.front.records = l.front.records[l.front.i:]
	l.front.i = 0
}

// dropLocked removes the oldest record.
func (l *Log) dropLocked(o oldest) {
	if o.seq < l.next {
		l.front.segment.headCount++
		l.front.segment.headBytes += o.size
	}
	l.first = o.seq + 1
	l.removedLocked(1, o.size)
}

func (l *Log) removedLocked(count, bytes int64) {
	l.messages -= count
	l.bytes -= bytes
	l.stats.Removed += uint64(count)
	if l.messages <= 0 || l.bytes < 0 { // damage has made it inexact
		l.messages, l.bytes = max(0, l.messages), 0
	}
	l.tidy = true
}

// makeRoomLocked removes the oldest records that nobody needs until one more
// of that size fits.
func (l *Log) makeRoomLocked(size int64, now time.Time) *wire.Error {
	l.expireLocked(now)
	hold, asked := uint64(0), false
	for l.limits.Messages > 0 && l.messages >= l.limits.Messages || l.messages > 0 && l.bytes+size > l.limits.Bytes {
		o, found := l.oldestLocked()
		if !found {
			break
		}
		if l.limits.Hold != nil && !asked {
			hold, asked = l.limits.Hold(), true
		}
		if asked && o.seq >= hold {
			return wire.Errorf(wire.CodeStorageFull, "the log holds %d records of %d bytes, and they are needed still", l.messages, l.bytes)
		}
		l.dropLocked(o)
	}
	return nil
}

// expireLocked removes what is too old.
func (l *Log) expireLocked(now time.Time) {
	if l.limits.Age <= 0 || l.messages == 0 || l.closed {
		return
	}
	latest := now.Add(-l.limits.Age).UnixMilli()
	for _, s := range l.segments {
		if s.maxTime > latest || s.count == 0 || s.next > l.next {
			break
		}
		l.jumpLocked(s.next)
	}
	for {
		o, found := l.oldestLocked()
		if !found || o.time > latest {
			break
		}
		l.dropLocked(o)
	}
	if l.tidy {
		l.wakeLocked()
	}
}

// Discard is as in store.Log.
func (l *Log) Discard(before uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if before = min(before, l.next); before <= l.first || l.closed {
		return
	}
	l.jumpLocked(before)
	l.tidy = true
	l.wakeLocked()
}

// jumpLocked removes what is before that number, which is at most next.
func (l *Log) jumpLocked(to uint64) {
	if f := &l.front; len(f.records) > 0 && f.records[0].seq <= l.first && to <= f.records[len(f.records)-1].seq+1 {
		for l.first < to {
			if o, found := l.oldestLocked(); found && o.seq < to {
				l.dropLocked(o)
				continue
			}
			break
		}
		l.first = max(l.first, to)
		return
	}
	for _, s := range l.segments {
		if s.first >= to {
			break
		}
		count, bytes := s.count, s.bytes
		if s.next > to {
			count, bytes = l.beforeLocked(s, to)
		}
		if more := count - s.headCount; more > 0 {
			l.removedLocked(more, bytes-s.headBytes)
			s.headCount, s.headBytes = count, bytes
		}
	}
	l.first = max(l.first, to)
}

// beforeLocked counts the records of s before that number.
func (l *Log) beforeLocked(s *segment, to uint64) (count, bytes int64) {
	if len(s.blocks) == 0 {
		return 0, 0
	}
	last := s.blockOf(to)
	for _, b := range s.blocks[:last] {
		count += int64(b.count)
		bytes += int64(b.bytes)
	}
	for _, o := range l.blockLocked(s, last) {
		if o.seq < to {
			count++
			bytes += o.size
		}
	}
	return count, bytes
}

// tidyLocked has the medium know what is removed, and gives back its space as
// far as whole segments go. Only the worker calls it; it lets go of the lock
// meanwhile.
func (l *Log) tidyLocked() {
	if l.unsaid {
		st := l.state
		l.mu.Unlock()
		l.saveState(&st)
		l.mu.Lock()
	}
	l.tidy = false
	first, next, deep := min(l.first, l.next), l.next, l.deep
	l.deep = false
	l.mu.Unlock()
	err := l.mark.set(first, next)
	l.mu.Lock()
	if s := l.active; err == nil && deep && s != nil && s.count > 0 && s.next <= first {
		l.mu.Unlock()
		l.seal(s)
		l.mu.Lock()
	}
	if err == nil {
		l.removeLocked(l.removableLocked(first, false))
	}
	l.sweepLaterLocked()
}

// removableLocked lists the segments that hold nothing but what is removed.
// While their IDs are to be known over a restart they stay, as far as that
// does not take up more space than the log may.
func (l *Log) removableLocked(first uint64, force bool) (list []*segment) {
	var size int64
	for _, s := range l.segments {
		size += s.end
	}
	for _, s := range l.segments {
		if s.next > first || s == l.active || s.refs > 0 {
			continue
		}
		known := s.newestID > 0 && nowMilli()-s.newestID < l.ids.window
		if !known || force || size > l.limits.Bytes+l.segmentBytes {
			list = append(list, s)
			size -= s.end
		}
	}
	return list
}

// removeLocked removes segments. The medium has to know first that they are
// not needed, or else they would be missed after a power cut.
func (l *Log) removeLocked(list []*segment) (removed bool) {
	if len(list) == 0 {
		return false
	}
	l.mu.Unlock()
	err := l.mark.sync()
	l.mu.Lock()
	for _, s := range list {
		if err != nil || s.refs > 0 {
			continue
		}
		l.forgetLocked(s)
		l.mu.Unlock()
		gone := l.fs.remove(s.path)
		l.mu.Lock()
		removed = removed || gone == nil
	}
	return removed
}

// forgetLocked takes a segment off every list.
func (l *Log) forgetLocked(s *segment) {
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
	is := func(o *segment) bool { return o == s }
	l.segments = slices.DeleteFunc(l.segments, is)
	l.open = slices.DeleteFunc(l.open, is)
	if l.front.segment == s {
		l.front = front{}
	}
}

// drop removes a segment that holds nothing. When it fails, whoever begins
// the next one removes it.
func (l *Log) drop(s *segment) {
	l.mu.Lock()
	l.forgetLocked(s)
	l.mu.Unlock()
	l.fs.remove(s.path)
}

// makeSpace removes what is kept for its IDs only, for the medium is full.
func (l *Log) makeSpace() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first, next := min(l.first, l.next), l.next
	list := l.removableLocked(first, true)
	if len(list) == 0 {
		return false
	}
	l.mu.Unlock()
	err := l.mark.set(first, next)
	l.mu.Lock()
	return err == nil && l.removeLocked(list)
}

// sweepLaterLocked has the worker look again while there is something that
// time will remove.
func (l *Log) sweepLaterLocked() {
	delay := time.Duration(sweepDelay)
	if l.limits.Age > 0 {
		delay = min(delay, max(l.limits.Age/2, 100*time.Millisecond))
	}
	needed := l.unsaid || l.limits.Age > 0 && l.messages > 0
	for _, s := range l.segments {
		needed = needed || s.count > 0 && s.next <= l.first
	}
	if needed && !l.closed {
		l.sweeps.after(delay, l.sweep)
	}
}

func (l *Log) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.expireLocked(time.Now())
	l.tidy, l.deep, l.retry = true, true, false
	l.wakeLocked()
}
