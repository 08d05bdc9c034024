//go:build unix

package transport

import (
	"runtime"
	"sync/atomic"
	"time"
)

// A reader that finds nothing may look again for a moment before it waits.
// When two processes speak in turns the answer is a few microseconds away,
// and falling asleep and being woken costs both of them more processor time
// than looking does. It pays only then, so it is kept up only while it pays:
//
//   - a look lasts at most spinBudget, and is made by one goroutine of the
//     process at a time, never where there is but one processor;
//   - each success earns a little credit, each failure costs a lot; without
//     credit one wait in spinRetry is tried.
//
// Tried and given up: to yield between two looks. Each yield wakes a thread to
// take over what it believes to be work.
const (
	spinBudget = 50 * time.Microsecond
	spinRetry  = 64
	spinCredit = 16 // the most there is
	spinCost   = 4  // of a failure
)

// spinning is set while some goroutine of the process looks.
var spinning atomic.Bool

// canSpin is false where nobody else could run meanwhile: the peer, or another
// goroutine.
var canSpin = runtime.NumCPU() > 1 && runtime.GOMAXPROCS(0) > 1

// spin is what one connection knows about looking. It belongs to the
// goroutine that reads.
type spin struct {
	credit  int8
	skipped uint8
}

// until calls look until it returns true or the budget is used up.
func (s *spin) until(look func() bool) bool {
	if s.credit <= 0 {
		if s.skipped++; s.skipped < spinRetry {
			return false
		}
		s.skipped = 0
	}
	if !canSpin || !spinning.CompareAndSwap(false, true) {
		return false
	}
	defer spinning.Store(false)
	for began := time.Now(); ; {
		if look() {
			s.credit = min(s.credit+1, spinCredit)
			return true
		}
		if time.Since(began) > spinBudget {
			s.credit = max(s.credit-spinCost, 0)
			return false
		}
	}
}
