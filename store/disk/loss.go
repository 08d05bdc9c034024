package disk

import (
	"slices"
	"sort"

	"github.com/ekkojs/ipc/store"
)

// maxLosses is how many runs are listed. What is beyond comes into one with
// its neighbour, and records between them count as lost.
const maxLosses = 1024

// losses is a sorted list of runs that do not touch.
type losses []store.Loss

// add notes that from to to are lost, and reports whether that is new.
func (l *losses) add(from, to uint64, reason string) bool {
	if from > to {
		return false
	}
	s := *l
	// The first run that reaches to what comes before from.
	i := sort.Search(len(s), func(i int) bool { return s[i].To >= from-1 })
	j := i
	n := store.Loss{From: from, To: to, Reason: reason}
	for ; j < len(s) && s[j].From <= to+1; j++ {
		if s[j].From <= from && s[j].To >= to {
			return false
		}
		n.From, n.To = min(n.From, s[j].From), max(n.To, s[j].To)
		if s[j].Reason != reason && s[j].Reason != "" {
			n.Reason = s[j].Reason // what was found first
		}
	}
	s = slices.Replace(slices.Clone(s), i, j, n) // others may be reading the list
	if len(s) > maxLosses {
		s[1].From, s[1].Reason = s[0].From, s[0].Reason
		s = s[1:]
	}
	*l = s
	return true
}

// end returns the first number from seq on that is not lost.
func (l losses) end(seq uint64) uint64 {
	i := sort.Search(len(l), func(i int) bool { return l[i].To >= seq })
	if i < len(l) && l[i].From <= seq {
		return l[i].To + 1
	}
	return seq
}

// within counts the numbers from from to to that are lost.
func (l losses) within(from, to uint64) (n uint64) {
	for i := sort.Search(len(l), func(i int) bool { return l[i].To >= from }); i < len(l) && l[i].From <= to; i++ {
		n += min(to, l[i].To) - max(from, l[i].From) + 1
	}
	return n
}
