package session

import "github.com/ekkojs/ipc/wire"

// maxAnswers is how many answers are collected before their callers are told.
const maxAnswers = 128

// answer is a response that has left the connection's buffer.
type answer struct {
	id    [36]byte
	index uint32 // of the slot; see sendLocked
	data  []byte
	err   *wire.Error
	more  bool // one item of a stream
}

// answers are those of one read, on their way to their callers. They belong
// to the goroutine that reads for all. Their slots are filled under one lock,
// and the callers are woken without it: the first thing each of them does is
// to take it.
type answers struct {
	waiting []answer
	woken   []*slot
}

// answerOf takes the answer out of m; it is not ok if m cannot be one to a
// call of this session. It runs on the reading goroutine.
func (s *Session) answerOf(m *wire.Message) (a answer, ok bool) {
	if a.index, ok = indexOf(m.CorrelationID); !ok {
		return a, false
	}
	copy(a.id[:], m.CorrelationID)
	if m.Metadata != nil {
		var md wire.Metadata
		if s.opts.Limits.DecodeMetadata(m.Metadata, &md) == nil {
			a.more = md.More
		}
	}
	switch {
	case m.Error != nil:
		a.err = wire.DecodeError(m.Error)
		if a.err.Details.Origin == "" { // an error that nobody made is one made here
			a.err.Details.Origin = s.peerOrigin()
		}
	case len(m.Data) >= adoptFrom:
		s.conn.Detach()
		a.data = m.Data
	case m.Data != nil:
		a.data = append([]byte(nil), m.Data...)
	}
	return a, true
}

func (s *Session) peerOrigin() wire.Origin {
	if s.opts.Inline {
		return wire.OriginClient
	}
	return wire.OriginService
}

// indexOf takes the index of a slot out of an id; it is not ok if the id is
// not one that sendLocked made.
func indexOf(id []byte) (index uint32, ok bool) {
	if len(id) != len(answer{}.id) {
		return 0, false
	}
	for _, c := range id[len(id)-4:] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		default:
			return 0, false
		}
		index = index<<4 | uint32(c)
	}
	return index, true
}

// settleLocked gives a to the call it answers. It is not known if no call
// waits for it; wakened is the slot whose caller is to be told, nil if that
// has been done.
func (s *Session) settleLocked(a *answer) (wakened *slot, known bool) {
	if a.index >= uint32(len(s.calls.slots)) {
		return nil, false
	}
	sl := s.calls.slots[a.index]
	if !sl.waiting || sl.id != a.id {
		return nil, false
	}
	switch {
	case sl.stream != nil:
		sl.stream.answeredLocked(a)
		return nil, true
	case a.more:
		e := wire.Errorf(wire.CodeProtocolError, "the method answers with a stream, and was called for a single result")
		e.Details.Executed, e.Details.Origin = wire.ExecutedMaybe, s.opts.Origin
		s.breakOffLocked(sl, e)
		return nil, true
	}
	sl.data, sl.err, sl.waiting = a.data, a.err, false
	return sl, true
}

// complete settles a at once. It reports whether that was the reading
// caller's own call, and whether there was such a call at all.
func (s *Session) complete(a *answer) (own, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl, known := s.settleLocked(a)
	if sl == nil {
		return false, known
	}
	if s.role == roleCaller && s.calls.leader == sl {
		return true, true
	}
	s.wakeLocked(sl)
	return false, true
}

// deliver settles what was collected.
func (s *Session) deliver(c *answers) {
	if len(c.waiting) == 0 {
		return
	}
	s.mu.Lock()
	for i := range c.waiting {
		sl, known := s.settleLocked(&c.waiting[i])
		switch {
		case sl != nil:
			c.woken = append(c.woken, sl)
		case !known:
			s.late.Add(1)
		}
	}
	s.mu.Unlock()
	for i, sl := range c.woken {
		select {
		case sl.wake <- struct{}{}:
		default: // it has been told to look already
		}
		c.woken[i] = nil
	}
	clear(c.waiting)
	c.waiting, c.woken = c.waiting[:0], c.woken[:0]
}
