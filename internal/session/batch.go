package session

import (
	"context"
	"encoding/binary"

	"github.com/ekkojs/ipc/wire"
)

// Outcome is what became of one of several calls.
type Outcome struct {
	Data []byte
	Err  error // a *wire.Error, or nil
}

// CallAll sends many requests in as few frames as hold them, and returns their
// outcomes in order. Those that find no place among the outstanding calls go
// in further frames when there is one.
func (s *Session) CallAll(ctx context.Context, reqs []Request) []Outcome {
	out := make([]Outcome, len(reqs))
	for done := 0; done < len(reqs); {
		done += s.callSome(ctx, reqs[done:], out[done:])
	}
	return out
}

// callSome makes as many of the calls as find a place now, at least one, and
// returns how many those were.
func (s *Session) callSome(ctx context.Context, reqs []Request, out []Outcome) int {
	var slots []*slot // nil where the call failed before it was sent
	var ids [][36]byte
	s.mu.Lock()
	f := batchFrame{s: s}
	for i := range reqs {
		if i > 0 && !s.slotFreeLocked() {
			break
		}
		sl, err := s.batchLocked(ctx, &reqs[i], &f)
		out[i].Err = err
		slots = append(slots, sl)
		if sl != nil {
			ids = append(ids, sl.id)
		}
	}
	f.closeLocked()
	flush := s.claimLocked()
	s.mu.Unlock()
	if flush {
		s.flush()
	}
	if ctx.Done() != nil && len(ids) > 0 {
		stop := context.AfterFunc(ctx, func() {
			for _, id := range ids {
				s.abandonID(id, ctx.Err())
			}
		})
		defer stop()
	}
	for i, sl := range slots {
		if sl != nil {
			out[i].Data, out[i].Err = s.await(sl)
		}
	}
	return len(slots)
}

// abandonID is abandon for who knows the id alone.
func (s *Session) abandonID(id [36]byte, cause error) {
	index, _ := indexOf(id[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	if sl := s.calls.slots[index]; sl.id == id && sl.waiting {
		s.abandonLocked(sl, cause)
	}
}

// batchLocked gives req a slot and appends it to f.
func (s *Session) batchLocked(ctx context.Context, req *Request, f *batchFrame) (*slot, error) {
	t, err := s.termOf(ctx, req)
	if err != nil {
		return nil, err
	}
	sl, err := s.slotLocked(ctx, t.deadline)
	if err != nil {
		return nil, err
	}
	id := newID()
	sl.name(&id)
	var meta [256]byte
	m := s.messageLocked(sl, req, &t, meta[:0])
	if err := f.appendLocked(sl, &m); err != nil {
		err.Details.Origin = s.opts.Origin
		s.releaseLocked(sl)
		return nil, err
	}
	s.sentLocked(sl, &t)
	return sl, nil
}

// batchFrame is the frame that a batch is being written into, at the end of
// the outbox. Session.mu is held from the first message to the last.
type batchFrame struct {
	s     *Session
	at    int     // where it begins in the outbox
	slots []*slot // whose requests are in it
}

// appendLocked adds m, to a further frame if it does not fit into this one.
func (f *batchFrame) appendLocked(sl *slot, m *wire.Message) *wire.Error {
	s, o := f.s, &f.s.outbox
	if s.ended || o.broken != nil {
		return closedError(o.broken)
	}
	text := m.Append(nil)
	if len(text) > s.opts.MaxFrame {
		return tooLarge(len(text), s.opts.MaxFrame)
	}
	if len(f.slots) > 0 && len(o.buf.b)-f.at-frameHeader+len(",]")+len(text) > s.opts.MaxFrame {
		f.closeLocked()
	}
	if len(f.slots) == 0 {
		f.at = len(o.startFrame().b)
		o.buf.b = append(o.buf.b, 0, 0, 0, 0, '[')
	} else {
		o.buf.b = append(o.buf.b, ',')
	}
	o.buf.b = append(o.buf.b, text...)
	f.slots = append(f.slots, sl)
	return nil
}

// closeLocked ends the frame. A batch of one is a message by itself.
func (f *batchFrame) closeLocked() {
	if len(f.slots) == 0 {
		return
	}
	o := &f.s.outbox
	if len(f.slots) == 1 {
		o.buf.b = append(o.buf.b[:f.at+frameHeader], o.buf.b[f.at+frameHeader+1:]...)
	} else {
		o.buf.b = append(o.buf.b, ']')
	}
	size := len(o.buf.b) - f.at
	binary.LittleEndian.PutUint32(o.buf.b[f.at:], uint32(size-frameHeader))
	o.appended += uint64(size)
	for _, sl := range f.slots {
		sl.end = o.appended
	}
	f.slots = f.slots[:0]
}
