package main

import (
	"math/bits"
	"time"
)

// A histogram counts durations in buckets of 1/64 of their size. It is small
// enough that each caller has one of its own, so that counting shares nothing.
type histogram struct {
	Counts [buckets]uint32
	Total  uint64
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

func (h *histogram) add(d time.Duration) {
	h.Counts[bucketOf(uint64(max(d, 0)))]++
	h.Total++
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.Counts {
		h.Counts[i] += n
	}
	h.Total += o.Total
}

// quantile returns the duration that the share q of all samples stays under,
// in microseconds, interpolated within its bucket.
func (h *histogram) quantile(q float64) float64 {
	want, seen := q*float64(h.Total), 0.0
	for i, n := range h.Counts {
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
