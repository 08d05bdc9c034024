package store

import (
	"sort"
	"time"
)

func (l *memoryLog) Bounds() (first, next uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expireNowLocked()
	return l.firstLocked(), l.next
}

func (l *memoryLog) firstLocked() uint64 { return l.next - uint64(l.records.length) }

func (l *memoryLog) Read(dst []Record, from uint64, max, maxBytes int) ([]Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return dst, closedError("log")
	}
	l.expireNowLocked()
	first := l.firstLocked()
	if from < first {
		from = first
	}
	if from >= l.next {
		return dst, nil
	}
	size := 0
	for i := int(from - first); i < l.records.length && max > 0; i, max = i+1, max-1 {
		r := l.records.at(i)
		if size += len(r.Data); size > maxBytes && size > len(r.Data) {
			break
		}
		dst = append(dst, *r)
	}
	return dst, nil
}

func (l *memoryLog) At(t time.Time) uint64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++ // records of the millisecond that t is in may be older than t
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expireNowLocked()
	reached := func(i int) bool { return l.records.at(i).Time >= ms }
	place := 0
	if l.sorted {
		place = sort.Search(l.records.length, reached)
	} else {
		for place < l.records.length && !reached(place) {
			place++
		}
	}
	return l.firstLocked() + uint64(place)
}

// Losses is empty: memory forgets everything or nothing.
func (l *memoryLog) Losses() []Loss { return nil }

func (l *memoryLog) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expireNowLocked()
	return l.stats
}
