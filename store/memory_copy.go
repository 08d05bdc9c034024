package store

import "strings"

// The bounds of a chunk. A log that keeps little has small ones, and what is
// longer than a quarter of the largest has memory of its own, so that little
// is left over at the end of each.
const (
	minChunk = 1 << 10
	maxChunk = 64 << 10
)

// maxNames is how many names a memoryCopier remembers.
const maxNames = 1024

// memoryCopier makes the copies of what a log keeps. Short data stand together
// in chunks, which are never written to again: one is freed when no record
// refers to it any more, here or at a reader.
type memoryCopier struct {
	chunk []byte            // what is free of the newest chunk
	last  string            // the latest name
	names map[string]string // copies, by what they are copies of
}

// data returns a copy of b, kept by a log that holds so many bytes.
func (c *memoryCopier) data(b []byte, held int64) []byte {
	n := len(b)
	if n == 0 {
		return nil
	}
	if n > len(c.chunk) {
		if n > maxChunk/4 {
			return append(make([]byte, 0, n), b...)
		}
		c.chunk = make([]byte, max(n, int(min(max(held, minChunk), maxChunk))))
	}
	kept := c.chunk[:n:n]
	c.chunk = c.chunk[n:]
	copy(kept, b)
	return kept
}

// name returns a copy of s, which is one of a few: a log has many records of
// few names, and the callers' strings may be parts of long messages.
func (c *memoryCopier) name(s string) string {
	if s == c.last {
		return c.last
	}
	kept, ok := c.names[s]
	if !ok {
		kept = strings.Clone(s)
		if c.names == nil || len(c.names) == maxNames {
			c.names = make(map[string]string)
		}
		c.names[kept] = kept
	}
	c.last = kept
	return kept
}
