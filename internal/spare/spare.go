// Package spare keeps memory for long frames between their uses.
//
// A sync.Pool does not: a program that moves megabytes collects its garbage
// every few messages, which empties the pool, and then most of the time goes
// into having memory cleared and mapped. What is kept here is bounded instead,
// and given up when it was not used for a while.
package spare

import (
	"math/bits"
	"sync"
	"time"
)

const (
	// Smallest is the length of the shortest piece that is kept.
	Smallest = 128<<10 + margin

	// Largest is that of the longest; between them lengths double, but for
	// margin.
	Largest = 16<<20 + margin

	// margin is there because what people send is likely to be a round
	// number of bytes, and the message around it is some more.
	margin = 4 << 10

	// Most is how many bytes are kept in all.
	Most = 32 << 20

	// rest is how long a piece lies unused before it is given up: for one to
	// two of these.
	rest = time.Second
)

const classes = 8

func sizeOf(class int) int { return (Smallest-margin)<<class + margin }

// shelf has the pieces of one length.
type shelf struct {
	pieces [][]byte
	low    int // the fewest there were since the last tick: so many were of no use
}

var (
	mu      sync.Mutex // guards all below
	shelves [classes]shelf
	kept    int
	timer   *time.Timer
	ticking bool
)

// class returns where memory for n bytes is; it is not ok if that is not kept.
func class(n int) (c int, ok bool) {
	c = bits.Len(uint(max(n-margin, 1)-1) / (Smallest - margin))
	return c, c < classes
}

// Take returns memory whose length is at least n, and at most about twice
// that. What lies in it is left over from before.
func Take(n int) []byte {
	c, ok := class(n)
	if !ok {
		return make([]byte, n)
	}
	if b := take(c); b != nil {
		return b
	}
	return make([]byte, sizeOf(c))
}

func take(c int) []byte {
	mu.Lock()
	defer mu.Unlock()
	s := &shelves[c]
	last := len(s.pieces) - 1
	if last < 0 {
		return nil
	}
	b := s.pieces[last]
	s.pieces[last] = nil
	s.pieces = s.pieces[:last]
	s.low = min(s.low, last)
	kept -= len(b)
	return b
}

// Give returns memory that came from Take, whole, and is not used any more.
func Give(b []byte) {
	b = b[:cap(b)]
	c, ok := class(len(b))
	if !ok || len(b) != sizeOf(c) {
		return
	}
	mu.Lock()
	defer mu.Unlock()
	if kept+len(b) > Most {
		return
	}
	shelves[c].pieces = append(shelves[c].pieces, b)
	kept += len(b)
	if ticking {
		return
	}
	ticking = true
	if timer == nil {
		timer = time.AfterFunc(rest, tick)
		return
	}
	timer.Reset(rest)
}

// tick gives up what was of no use since the last one.
func tick() {
	mu.Lock()
	defer mu.Unlock()
	for c := range shelves {
		s := &shelves[c]
		for range s.low {
			last := len(s.pieces) - 1
			kept -= len(s.pieces[last])
			s.pieces[last] = nil
			s.pieces = s.pieces[:last]
		}
		s.low = len(s.pieces)
	}
	if ticking = kept > 0; ticking {
		timer.Reset(rest)
	}
}
