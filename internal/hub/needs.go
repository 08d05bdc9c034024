package hub

import "sync/atomic"

// Needs is the oldest record of a log that its groups still need.
type Needs struct{ oldest atomic.Uint64 }

// NewNeeds returns the needs of a log without groups: everything.
func NewNeeds() *Needs { return &Needs{} }

// Oldest returns the sequence number of the oldest record that is needed.
func (n *Needs) Oldest() uint64 { return n.oldest.Load() }
