package session

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"time"

	"github.com/ekkojs/ipc/wire"
)

const (
	// dedicateAbove is the number of outstanding calls from which a
	// goroutine of its own reads for all of them.
	dedicateAbove = 8

	// adoptFrom is the size from which an answer keeps the connection's
	// buffer instead of being copied out of it.
	adoptFrom = 32 << 10

	maxSlots = 1 << 16 // an index has four hex digits in an id
)

// Request is a message that wants an answer.
type Request struct {
	Type    wire.Type // request, subscribe or unsubscribe
	Channel []byte
	Action  []byte
	Data    []byte        // JSON; nil for none
	Timeout time.Duration // 0: the default of Options; negative: none
	Meta    wire.Metadata // TimeoutMS is filled in
}

// slot is the place of one outstanding call. Guarded by Session.mu, but for
// wake.
type slot struct {
	id       [36]byte
	index    uint32
	waiting  bool          // the answer is not there yet
	at       int           // index in calls.active
	end      uint64        // where the request ends in the stream of bytes sent
	deadline time.Duration // since Session.epoch; 0: none
	data     []byte
	err      *wire.Error
	wake     chan struct{} // says: look again; one is kept
}

// calls are the outstanding calls. Guarded by Session.mu.
type calls struct {
	slots  []*slot
	free   []*slot
	active []*slot
	queue  []chan struct{} // calls that wait for a slot, in order
	timer  *time.Timer     // fires at armed, for all calls together
	armed  time.Duration   // since Session.epoch; 0: not armed
	leader *slot           // whose caller reads, while role is roleCaller
}

// Call sends req and waits for the answer, whose data it returns. The error
// is a *wire.Error: the peer's, or one made here when the deadline passes,
// ctx ends or the connection is lost. The answer belongs to the caller.
func (s *Session) Call(ctx context.Context, req *Request) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, s.gaveUp(err, wire.ExecutedNo)
	}
	now := time.Now()
	timeout, stated := s.timeout(ctx, req, now)
	var deadline time.Duration
	if timeout > 0 {
		deadline = now.Sub(s.epoch) + timeout
	} else if stated && timeout == 0 {
		return nil, s.gaveUp(context.DeadlineExceeded, wire.ExecutedNo)
	}

	s.mu.Lock()
	sl, err := s.slotLocked(ctx, deadline)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	if err := s.sendLocked(sl, req, now, timeout, stated); err != nil {
		s.releaseLocked(sl)
		s.mu.Unlock()
		return nil, err
	}
	if sl.deadline = deadline; deadline != 0 {
		s.armLocked(deadline)
	}
	s.pulse++
	id := sl.id
	flush := s.claimLocked()
	crowd := len(s.calls.active) > 1
	s.mu.Unlock()

	if flush {
		if crowd {
			runtime.Gosched() // others are about to append: one write for all
		}
		s.flush()
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { s.abandon(sl, id, ctx.Err()) })
		defer stop()
	}
	return s.await(sl)
}

// timeout returns how long req may take from now on (0 or less: for ever) and
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
	return d, d != DefaultTimeout && d > 0
}

// sendLocked gives the call its id and appends it to the outbox.
func (s *Session) sendLocked(sl *slot, req *Request, now time.Time, timeout time.Duration, stated bool) error {
	// The last digits of the id are the slot's index: the answer is found
	// without a table. The rest is random, so that nobody guesses an id, and
	// the whole of it is compared.
	wire.AppendUUID(sl.id[:0], rand.Uint64(), rand.Uint64()&^(maxSlots-1)|uint64(sl.index))
	m := wire.Message{Type: req.Type, MessageID: sl.id[:], Channel: req.Channel, Action: req.Action, Data: req.Data}
	m.Timestamp = s.outbox.stamp.Append(s.outbox.time[:0], now.UnixMilli())
	if stated {
		req.Meta.TimeoutMS = max(int64((timeout+time.Millisecond-1)/time.Millisecond), 1)
	}
	var meta [256]byte
	if !req.Meta.IsZero() {
		m.Metadata = req.Meta.Append(meta[:0])
	}
	end, err := s.appendLocked(&m)
	if err != nil {
		err.Details.Origin = s.opts.Origin
		return err
	}
	sl.end = end
	return nil
}

// slotLocked returns a free slot, waiting for one, and for room in the
// outbox, as long as ctx and the deadline allow.
func (s *Session) slotLocked(ctx context.Context, deadline time.Duration) (*slot, error) {
	c := &s.calls
	for {
		if s.ended {
			return nil, closedError(s.err)
		}
		room := s.outbox.appended-s.outbox.written <= uint64(s.opts.MaxOutbox)*3/4
		if n := len(c.free); n > 0 && room {
			sl := c.free[n-1]
			c.free = c.free[:n-1]
			return s.activateLocked(sl), nil
		}
		if len(c.slots) < min(s.opts.MaxPending, maxSlots) && room {
			sl := &slot{index: uint32(len(c.slots)), wake: make(chan struct{}, 1)}
			c.slots = append(c.slots, sl)
			return s.activateLocked(sl), nil
		}
		if err := s.queueLocked(ctx, deadline); err != nil {
			return nil, err
		}
	}
}

func (s *Session) activateLocked(sl *slot) *slot {
	c := &s.calls
	sl.waiting, sl.data, sl.err, sl.deadline, sl.end = true, nil, nil, 0, 0
	sl.at = len(c.active)
	c.active = append(c.active, sl)
	return sl
}

// queueLocked waits for its turn to try for a slot. It gives the lock up
// meanwhile.
func (s *Session) queueLocked(ctx context.Context, deadline time.Duration) error {
	turn := make(chan struct{})
	s.calls.queue = append(s.calls.queue, turn)
	s.mu.Unlock()
	defer s.mu.Lock()
	var expired <-chan time.Time
	if deadline != 0 {
		t := time.NewTimer(deadline - time.Since(s.epoch))
		defer t.Stop()
		expired = t.C
	}
	var err error
	select {
	case <-turn:
		return nil
	case <-s.done:
		return nil // the loop in slotLocked says why
	case <-ctx.Done():
		err = s.gaveUp(ctx.Err(), wire.ExecutedNo)
	case <-expired:
		err = s.gaveUp(context.DeadlineExceeded, wire.ExecutedNo)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaveQueueLocked(turn)
	return err
}

// leaveQueueLocked takes turn out of the queue, or passes on the turn that
// came too late.
func (s *Session) leaveQueueLocked(turn chan struct{}) {
	for i, t := range s.calls.queue {
		if t == turn {
			s.calls.queue = append(s.calls.queue[:i], s.calls.queue[i+1:]...)
			return
		}
	}
	s.nextInQueueLocked()
}

func (s *Session) nextInQueueLocked() {
	if c := &s.calls; len(c.queue) > 0 {
		close(c.queue[0])
		c.queue = c.queue[1:]
	}
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

// releaseLocked makes sl free for the next call, and sees to it that somebody
// reads for the others.
func (s *Session) releaseLocked(sl *slot) {
	c := &s.calls
	last := len(c.active) - 1
	c.active[sl.at] = c.active[last]
	c.active[sl.at].at = sl.at
	c.active[last] = nil
	c.active = c.active[:last]
	select {
	case <-sl.wake: // of no use to the next call
	default:
	}
	sl.waiting, sl.data, sl.err = false, nil, nil
	c.free = append(c.free, sl)
	s.nextInQueueLocked()
	if s.role == roleNone && !s.ended {
		s.passReadingLocked()
	}
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

// wakeLocked makes the caller of sl look again.
func (s *Session) wakeLocked(sl *slot) {
	if s.role == roleCaller && s.calls.leader == sl {
		s.conn.InterruptRead()
		return
	}
	select {
	case sl.wake <- struct{}{}:
	default:
	}
}

// complete gives an answer to the call it belongs to. It runs on the reading
// goroutine and reports whether that was the reading caller's own call, and
// whether there was such a call at all.
func (s *Session) complete(m *wire.Message) (own, known bool) {
	id := m.CorrelationID
	if len(id) != len(slot{}.id) {
		return false, false
	}
	index, err := strconv.ParseUint(string(id[len(id)-4:]), 16, 32)
	if err != nil {
		return false, false
	}
	var failure *wire.Error
	if m.Error != nil {
		failure = wire.DecodeError(m.Error)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if index >= uint64(len(s.calls.slots)) {
		return false, false
	}
	sl := s.calls.slots[index]
	if !sl.waiting || string(sl.id[:]) != string(id) {
		return false, false
	}
	switch {
	case failure != nil:
		sl.err = failure
	case len(m.Data) >= adoptFrom:
		s.conn.Detach()
		sl.data = m.Data
	case m.Data != nil:
		sl.data = append([]byte(nil), m.Data...)
	}
	sl.waiting = false
	if s.role == roleCaller && s.calls.leader == sl {
		return true, true
	}
	s.wakeLocked(sl)
	return false, true
}

// abandon ends the wait for sl, if it still is the call with that id, and
// tells the peer to stop.
func (s *Session) abandon(sl *slot, id [36]byte, cause error) {
	s.mu.Lock()
	if sl.id != id || !sl.waiting {
		s.mu.Unlock()
		return
	}
	s.abandonLocked(sl, cause)
	flush := s.claimLocked()
	s.mu.Unlock()
	if flush {
		s.flush()
	}
}

func (s *Session) abandonLocked(sl *slot, cause error) {
	sl.err = s.gaveUp(cause, wire.ExecutedMaybe)
	sl.waiting = false
	s.wakeLocked(sl)
	m := wire.Message{Type: wire.TypeEvent, Channel: cancelChannel, CorrelationID: sl.id[:]}
	s.freshLocked(&m, time.Now())
	s.appendLocked(&m) // a lost connection cancels as well
}

var cancelChannel = []byte("ipc.cancel")

// gaveUp is the error of a call whose context or deadline ended first.
func (s *Session) gaveUp(cause error, executed wire.Executed) *wire.Error {
	stage := "dispatched"
	if executed == wire.ExecutedNo {
		stage = "queued"
	}
	e := wire.Errorf(wire.CodeCancelled, "the caller gave up: %w", cause)
	if errors.Is(cause, context.DeadlineExceeded) {
		e = wire.Errorf(wire.CodeDeadlineExceeded, "no answer before the deadline: %w", cause)
	}
	e.Details.Executed = executed
	e.Details.Retryable = executed == wire.ExecutedNo && e.Code == wire.CodeDeadlineExceeded
	e.Details.Origin = s.opts.Origin
	e.Details.More = map[string]any{"stage": stage}
	return e
}

// armLocked makes the one timer of the session fire no later than deadline.
// Calls mostly come with growing deadlines, so it is hardly ever set anew.
func (s *Session) armLocked(deadline time.Duration) {
	c := &s.calls
	if c.armed != 0 && c.armed <= deadline {
		return
	}
	c.armed = deadline
	wait := max(deadline-time.Since(s.epoch), 0)
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, s.expire)
		return
	}
	c.timer.Reset(wait)
}

// expire gives up the calls whose deadline has passed.
func (s *Session) expire() {
	s.mu.Lock()
	s.calls.armed = 0
	if s.ended {
		s.mu.Unlock()
		return
	}
	now := time.Since(s.epoch)
	var next time.Duration
	for _, sl := range s.calls.active {
		switch {
		case !sl.waiting || sl.deadline == 0:
		case sl.deadline <= now:
			s.abandonLocked(sl, context.DeadlineExceeded)
		case next == 0 || sl.deadline < next:
			next = sl.deadline
		}
	}
	if next != 0 {
		s.armLocked(next)
	}
	flush := s.claimLocked()
	s.mu.Unlock()
	if flush {
		s.flush()
	}
}

// failCallsLocked ends all outstanding calls: the connection is gone.
func (s *Session) failCallsLocked(cause error) {
	c := &s.calls
	if c.timer != nil {
		c.timer.Stop()
	}
	if cause == nil {
		cause = net.ErrClosed
	}
	for _, sl := range c.active {
		if !sl.waiting {
			continue
		}
		if turnedAway, ok := cause.(*wire.Error); ok {
			sl.err, sl.waiting = turnedAway, false
			s.wakeLocked(sl)
			continue
		}
		e := wire.Errorf(wire.CodeConnectionLost, "connection lost while the call was outstanding: %w", cause)
		e.Details.Executed = wire.ExecutedMaybe
		if sl.end > s.outbox.taken { // its last byte never left
			e.Details.Executed, e.Details.Retryable = wire.ExecutedNo, true
		}
		e.Details.Origin = s.opts.Origin
		sl.err, sl.waiting = e, false
		s.wakeLocked(sl)
	}
}
