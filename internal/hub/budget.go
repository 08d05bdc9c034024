package hub

import "sync/atomic"

// Budget bounds what waits for several subscribers together, such as all of
// one user. What a frame costs is shared by those it waits for. A nil *Budget
// bounds nothing.
type Budget struct {
	limit  int64
	parent *Budget // charged too; may be nil
	used   atomic.Int64
}

// NewBudget returns a budget of limit bytes, within parent if that is not nil.
func NewBudget(limit int64, parent *Budget) *Budget {
	return &Budget{limit: limit, parent: parent}
}

// Used returns how many bytes are charged now.
func (b *Budget) Used() int64 {
	if b == nil {
		return 0
	}
	return b.used.Load()
}

// charge takes n bytes, if there are as many.
func (b *Budget) charge(n int) bool {
	if b == nil {
		return true
	}
	if b.used.Add(int64(n)) > b.limit || !b.parent.charge(n) {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

func (b *Budget) release(n int) {
	if b == nil {
		return
	}
	b.used.Add(-int64(n))
	b.parent.release(n)
}
