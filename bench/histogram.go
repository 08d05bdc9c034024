package main

import (
	"math/bits"
	"sync"
	"time"
)

// A histogram counts durations in buckets of 1/64 of their size. All callers
// of a run share it, each through a recorder.
type histogram struct {
	mu     sync.Mutex
	counts [buckets]uint32
	total  uint64
}

const (
	subBits = 6  // 64 buckets per doubling: a reading is off by 1.6 % at most
	maxBits = 36 // about a minute; longer ones count as that
	buckets = (maxBits - subBits + 1) << subBits
)

func bucketOf(ns uint64) int {
	if ns >= 1<<maxBits {
		return buckets - 1
	}
	if ns < 1<<subBits {
		return int(ns)
	}
	shift := bits.Len64(ns) - subBits - 1
	return shift<<subBits + int(ns>>shift)
}

// boundOf returns the smallest duration of bucket i.
func boundOf(i int) uint64 {
	if i < 1<<subBits {
		return uint64(i)
	}
	shift := i>>subBits - 1
	return uint64(i-shift<<subBits) << shift
}

// A recorder keeps one caller's last readings until there are enough to be
// worth a lock. It is two cache lines, where a histogram of its own for each
// of 256 callers is more than the cache holds and was a twentieth of the
// client's time.
type recorder struct {
	to      *histogram
	n       int
	waiting [14]time.Duration
}

func (r *recorder) add(d time.Duration) {
	r.waiting[r.n] = max(d, 0)
	if r.n++; r.n == len(r.waiting) {
		r.flush()
	}
}

// flush hands over what waits. The last reading needs it.
func (r *recorder) flush() {
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	for _, d := range r.waiting[:r.n] {
		r.to.counts[bucketOf(uint64(d))]++
	}
	r.to.total += uint64(r.n)
	r.n = 0
}

// reset forgets all readings.
func (h *histogram) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts, h.total = [buckets]uint32{}, 0
}

// quantile returns the duration that the share q of all samples stays under,
// in microseconds, interpolated within its bucket.
func (h *histogram) quantile(q float64) float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	want, seen := q*float64(h.total), 0.0
	for i, n := range h.counts {
		if n == 0 {
			continue
		}
		if seen+float64(n) >= want {
			low, high := float64(boundOf(i)), float64(boundOf(i+1))
			return (low + (high-low)*(want-seen)/float64(n)) / 1000
		}
		seen += float64(n)
	}
	return 0
}
