package session

import (
	"context"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/ekkojs/ipc/wire"
)

const (
	// dedicateAbove is the number of outstanding calls from which a
	// goroutine of its own reads for all of them.
	dedicateAbove = 8

	// adoptFrom is the size from which an answer, or a request that leaves
	// the reading goroutine, keeps the connection's buffer instead of being
	// copied out of it.
	adoptFrom = 32 << 10

	// maxSlots is half of what the four hex digits hold that an index has in
	// an id: the ids of other messages have the other half.
	maxSlots = 1 << 15
)

// Request is a message that wants an answer.
type Request struct {
	Type    wire.Type // request, subscribe or unsubscribe; an event that is to be confirmed
	ID      []byte    // messageId of an event that has one of its own; nil: the call's
	Channel []byte
	Action  []byte
	Data    []byte        // JSON; nil for none
	Text    *Text         // the same, in the place of Data; it stays the caller's to release
	Timeout time.Duration // 0: the default of Options; negative: none
	Now     time.Time     // what the clock says; zero: nobody has looked
	Meta    wire.Metadata // TimeoutMS is filled in
}

// Call sends req and waits for the answer, whose data it returns. The error
// is a *wire.Error: the peer's, or one made here when the deadline passes,
// ctx ends or the connection is lost. The answer belongs to the caller.
func (s *Session) Call(ctx context.Context, req *Request) ([]byte, error) {
	b, err := s.begin(ctx, req, nil)
	if err != nil {
		return nil, err
	}
	if b.flush {
		if b.crowd {
			runtime.Gosched() // others are about to append: one write for all
		}
		s.flush()
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { s.abandon(b.slot, b.id, ctx.Err()) })
		defer stop()
	}
	if b.dedicated {
		<-b.slot.wake // whatever becomes of that reader, it wakes somebody
	}
	return s.await(b.slot)
}

// begun is a call that is in the outbox.
type begun struct {
	slot      *slot
	id        [36]byte // the slot may serve another call by the time ctx ends
	flush     bool     // the caller must write
	crowd     bool     // other calls are outstanding
	dedicated bool     // a goroutine reads for all
}

// begin gives req a slot and appends it to the outbox. st is nil unless the
// answer is a stream.
func (s *Session) begin(ctx context.Context, req *Request, st *Stream) (b begun, err error) {
	t, err := s.termOf(ctx, req)
	if err != nil {
		return b, err
	}
	if st != nil && t.timeout < 0 {
		t.stated = false // the peer assumes no deadline of a stream
	}
	id := newID()
	s.mu.Lock()
	defer s.mu.Unlock()
	sl, err := s.slotLocked(ctx, t.deadline)
	if err != nil {
		return b, err
	}
	sl.name(&id)
	if err := s.sendLocked(sl, req, &t); err != nil {
		s.releaseLocked(sl)
		return b, err
	}
	s.sentLocked(sl, &t)
	if st != nil {
		sl.stream, st.slot = st, sl
		st.id = append([]byte(nil), sl.id[:]...)
		s.keepReadingLocked()
	}
	return begun{sl, sl.id, s.claimLocked(), len(s.calls.active) > 1, s.role == roleDedicated}, nil
}

// term is when a call begins and how long it may take.
type term struct {
	now      time.Time
	timeout  time.Duration // negative: for ever
	stated   bool          // it differs from what the peer assumes of a silent request
	deadline time.Duration // since Session.epoch; 0: none
}

// termOf returns the term of req, or the error of a call that begins too late.
func (s *Session) termOf(ctx context.Context, req *Request) (t term, err error) {
	if err := ctx.Err(); err != nil {
		return t, s.gaveUp(err, wire.ExecutedNo)
	}
	if t.now = req.Now; t.now.IsZero() {
		t.now = time.Now()
	}
	t.timeout, t.stated = s.timeout(ctx, req, t.now)
	if t.timeout > 0 {
		t.deadline = t.now.Sub(s.epoch) + t.timeout
	} else if t.stated && t.timeout == 0 {
		return t, s.gaveUp(context.DeadlineExceeded, wire.ExecutedNo)
	}
	return t, nil
}

// sentLocked accounts for a call that is in the outbox.
func (s *Session) sentLocked(sl *slot, t *term) {
	if sl.deadline = t.deadline; t.deadline != 0 {
		s.armLocked(t.deadline)
	}
	s.pulse++
	s.expectLocked()
}

// timeout returns how long req may take from now on (negative: for ever) and
// whether that differs from what the peer assumes of a silent request. A
// deadline of ctx that has passed is (0, true).
func (s *Session) timeout(ctx context.Context, req *Request, now time.Time) (d time.Duration, stated bool) {
	d = req.Timeout
	if d == 0 {
		d = s.opts.Timeout
	}
	if at, ok := ctx.Deadline(); ok {
		if left := at.Sub(now); d < 0 || left < d {
			d = max(left, 0)
		}
		return d, true
	}
	return d, d != DefaultTimeout
}

// sendLocked gives the call its id and appends it to the outbox.
func (s *Session) sendLocked(sl *slot, req *Request, t *term) error {
	var meta [256]byte
	m := s.messageLocked(sl, req, t, meta[:0])
	end, err := s.appendTextLocked(&m, req.Text)
	if err != nil {
		err.Details.Origin = s.opts.Origin
		return err
	}
	sl.end = end
	return nil
}

// newID returns a random id, in which the slot's name is still to be put.
func newID() (id [36]byte) {
	wire.AppendUUID(id[:0], rand.Uint64(), rand.Uint64())
	return id
}

// name gives the call in sl its id. The last digits are the slot's index: the
// answer is found without a table. The rest is random, so that nobody guesses
// an id, and the whole of it is compared.
func (sl *slot) name(id *[36]byte) {
	sl.id = *id
	copy(sl.id[len(id)-len(sl.digits):], sl.digits[:])
}

// messageLocked returns the message of a call, which is valid until the next
// message is made; meta is room for its metadata.
func (s *Session) messageLocked(sl *slot, req *Request, t *term, meta []byte) wire.Message {
	m := wire.Message{Type: req.Type, MessageID: sl.id[:], Channel: req.Channel, Action: req.Action, Data: req.Data}
	if req.ID != nil {
		m.MessageID, m.CorrelationID = req.ID, sl.id[:]
	}
	m.Timestamp = s.outbox.stamp.Append(s.outbox.time[:0], t.now.UnixMilli())
	if t.stated {
		timeout := t.timeout
		if timeout < 0 {
			timeout = MaxTimeout // the most there is to ask for
		}
		req.Meta.TimeoutMS = max(int64((timeout+time.Millisecond-1)/time.Millisecond), 1)
	}
	if !req.Meta.IsZero() {
		m.Metadata = req.Meta.Append(meta)
	}
	return m
}

// await waits until sl has its answer, reading the connection itself when
// nobody else does, and gives the slot back.
func (s *Session) await(sl *slot) ([]byte, error) {
	s.mu.Lock()
	for sl.waiting {
		if s.role == roleNone {
			if len(s.calls.active) > dedicateAbove {
				s.startReaderLocked()
				continue
			}
			s.role, s.calls.leader = roleCaller, sl
			s.mu.Unlock()
			s.readFor(sl)
			s.mu.Lock()
			s.role, s.calls.leader = roleNone, nil
			continue
		}
		s.mu.Unlock()
		<-sl.wake
		s.mu.Lock()
	}
	data, err := sl.data, sl.err
	s.releaseLocked(sl)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return data, nil
}

// passReadingLocked finds a reader when there is none and one is needed.
func (s *Session) passReadingLocked() {
	c := &s.calls
	if s.keep > 0 || len(c.active) > dedicateAbove {
		s.startReaderLocked()
		return
	}
	for _, sl := range c.active {
		if sl.waiting {
			s.wakeLocked(sl)
			return
		}
	}
}
