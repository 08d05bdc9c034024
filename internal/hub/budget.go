package hub

import "sync/atomic"

// Budget bounds what waits for several subscribers together, such as all of
// one user. What a frame costs is shared by those it waits for. The last
// quarter is for queues that hold little: those that read must not lose
// events because others do not. A nil *Budget bounds nothing.
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

// charge takes n bytes, if there are as many: modest says that they are for
// somebody who holds little, for whom there are more.
func (b *Budget) charge(n int, modest bool) bool {
	if b == nil {
		return true
	}
	limit := b.limit
	if !modest {
		limit -= limit / 4
	}
	if b.used.Load() >= limit {
		return false // as it is told those who do not read, again and again
	}
	if b.used.Add(int64(n)) > limit || !b.parent.charge(n, modest) {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

// take charges n bytes whether they are there or not. It is for what does not
// wait to be dropped, and is kept little by left.
func (b *Budget) take(n int) {
	if b == nil {
		return
	}
	b.used.Add(int64(n))
	b.parent.take(n)
}

// left returns how many bytes there are, but no more than most.
func (b *Budget) left(most int) int {
	if b == nil {
		return most
	}
	return b.parent.left(int(min(int64(most), max(b.limit-b.used.Load(), 0))))
}

func (b *Budget) release(n int) {
	if b == nil {
		return
	}
	b.used.Add(-int64(n))
	b.parent.release(n)
}

// account is one queue's part of a budget. It takes more at once than it
// needs, and keeps a little of what it needs no longer, so that the queues of
// one user do not meet at the same counter with each event. It is guarded by
// the queue's lock.
type account struct {
	budget *Budget
	held   int // taken from the budget
	used   int // of that
}

// step is how much an account takes at once, if the budget has it, and how
// much is little.
func (b *Budget) step() int { return int(min(16<<10, b.limit/64)) }

// charge uses n bytes, if there are as many.
func (a *account) charge(n int) bool {
	if a.budget == nil {
		return true
	}
	if need := a.used + n - a.held; need > 0 {
		more := max(need, a.budget.step())
		if !a.budget.charge(more, false) {
			if more = need; !a.budget.charge(more, a.used+n <= a.budget.step()) {
				return false
			}
		}
		a.held += more
	}
	a.used += n
	return true
}

// release uses n bytes no longer. When nothing is used, nothing is held.
func (a *account) release(n int) {
	if a.budget == nil {
		return
	}
	a.used -= n
	idle, keep := a.held-a.used, a.budget.step()
	if a.used == 0 {
		keep = 0
	} else if idle <= 2*keep {
		return
	}
	a.budget.release(idle - keep)
	a.held -= idle - keep
}
