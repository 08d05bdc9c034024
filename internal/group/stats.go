package group

// Stats is what a group holds, and has counted since it was opened.
type Stats struct {
	Members int
	Pending int // records that members hold
	Ready   int // that wait for a member again
	Later   int // that wait for a time to do so
	Dying   int // that wait to be kept as dead letters
	// Waiting is how many records of the log have not been read; some may be
	// for others.
	Waiting uint64
	Floor   uint64 // the first record that is not done
	Next    uint64 // the first that has not been read

	Delivered   uint64 // redeliveries included
	Redelivered uint64
	Acked       uint64
	Rejected    uint64
	Expired     uint64 // not acknowledged in time
	Dead        uint64
	DeadRefused uint64 // attempts to keep a dead letter that failed
	Filtered    uint64 // done without having been delivered
	Missing     uint64 // that the log had not any more
}

// Stats returns what the group holds and has counted.
func (g *Group) Stats() Stats {
	_, end := g.log.Bounds()
	g.mu.Lock()
	defer g.mu.Unlock()
	st := g.stats
	st.Members = len(g.members)
	for _, e := range g.entries {
		switch e.state {
		case held:
			st.Pending++
		case ready:
			st.Ready++
		case later:
			st.Later++
		case dying, undying:
			st.Dying++
		}
	}
	st.Floor, st.Next = g.floorLocked(), g.next
	if end > g.next {
		st.Waiting = end - g.next
	}
	return st
}
