package hub

import (
	"math"
	"sync/atomic"
)

// Needs tells a log what the groups of its stream still need. Until the hub
// has opened them that is everything.
type Needs struct{ stream atomic.Pointer[stream] }

// Oldest returns the sequence number of the oldest record that is needed. It
// is a log's Hold. Where nobody reads a queue all of it is.
func (n *Needs) Oldest() uint64 {
	s := n.stream.Load()
	if s == nil {
		return 0
	}
	oldest, ok := s.teams.oldest()
	switch {
	case ok:
		return oldest
	case s.Queue:
		return 0
	}
	return math.MaxUint64
}
