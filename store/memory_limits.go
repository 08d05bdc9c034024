package store

import "time"

// makeRoomLocked removes what is oldest and not needed until one more record
// of that size is within the limits, and reports whether it is.
func (l *memoryLog) makeRoomLocked(size int64) bool {
	if !l.fullLocked(size) {
		return true
	}
	needed := l.next
	if l.limits.Hold != nil {
		needed = l.limits.Hold()
	}
	for l.records.length > 0 && l.records.at(0).Seq < needed {
		l.removeLocked()
		if !l.fullLocked(size) {
			return true
		}
	}
	return false
}

func (l *memoryLog) fullLocked(size int64) bool {
	return l.limits.Messages > 0 && l.stats.Messages >= l.limits.Messages || l.stats.Bytes+size > l.limits.Bytes
}

// expireLocked removes what is too old. Nothing watches the clock for that:
// it is enough that nobody sees such a record, and that the next append makes
// its memory free.
func (l *memoryLog) expireLocked(now time.Time) {
	if l.limits.Age <= 0 {
		return
	}
	oldest := now.Add(-l.limits.Age).UnixMilli()
	for l.records.length > 0 && l.records.at(0).Time < oldest {
		l.removeLocked()
	}
}

// expireNowLocked is expireLocked for those who need no clock otherwise.
func (l *memoryLog) expireNowLocked() {
	if l.limits.Age > 0 && l.records.length > 0 {
		l.expireLocked(time.Now())
	}
}

// removeLocked removes the oldest record. There must be one.
func (l *memoryLog) removeLocked() {
	l.stats.Bytes -= recordSize(l.records.at(0))
	l.stats.Messages--
	l.stats.Removed++
	l.records.pop()
}

func (l *memoryLog) Discard(before uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.records.length > 0 && l.records.at(0).Seq < before {
		l.removeLocked()
	}
}
