package session

// early is what comes for a request that will stream, while the goroutine that
// has it is held up before it could say so and another one reads by now.
type early struct {
	items  [][]byte
	cost   int64 // of the items
	credit int64
	done   bool // no more items come
}

// keepEarlyLocked keeps what flowLocked would take: no more items than a
// stream begins with credit for, and one, by which it will notice.
func (in *Inbound) keepEarlyLocked(m *Inbound) {
	if in.early == nil {
		in.early = new(early)
	}
	e := in.early
	if m.Meta.Credit > 0 {
		e.credit = min(e.credit+min(m.Meta.Credit, maxCredit), maxCredit)
	}
	switch {
	case e.done:
	case m.Data != nil:
		e.done = e.cost >= StreamCredit
		e.items = append(e.items, append([]byte(nil), m.Data...))
		e.cost += itemCost(m.Data)
	case m.Meta.Credit == 0:
		e.done = true
	}
}

// takeEarlyLocked begins a stream with what was kept for it.
func (st *Stream) takeEarlyLocked(e *early) {
	if e == nil {
		return
	}
	st.creditLocked(e.credit)
	for _, item := range e.items {
		if !st.pushLocked(item) {
			st.finishLocked(nil, tooMuch("the client"))
			st.in.cancelled.Store(true)
			return
		}
	}
	st.incoming.done = e.done
}
