package session

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// abandon ends the wait for sl, if it still is the call with that id, and
// tells the peer to stop.
func (s *Session) abandon(sl *slot, id [36]byte, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sl.id == id && sl.waiting {
		s.abandonLocked(sl, cause)
	}
}

func (s *Session) abandonLocked(sl *slot, cause error) {
	s.breakOffLocked(sl, s.gaveUp(cause, wire.ExecutedMaybe))
}

// breakOffLocked ends a call with err and tells the peer to stop.
func (s *Session) breakOffLocked(sl *slot, err *wire.Error) {
	m := wire.Message{Type: wire.TypeEvent, Channel: cancelChannel, CorrelationID: sl.id[:]}
	s.freshLocked(&m, time.Now())
	s.appendLocked(&m) // a lost connection cancels as well
	s.kickLocked()
	s.endLocked(sl, nil, err)
}

// endLocked gives a call its outcome. The caller of a plain call finds it when
// it looks.
func (s *Session) endLocked(sl *slot, data []byte, err *wire.Error) {
	if sl.stream != nil {
		sl.stream.finishLocked(data, err)
		return
	}
	sl.data, sl.err, sl.waiting = data, err, false
	s.wakeLocked(sl)
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
	defer s.mu.Unlock()
	s.calls.armed = 0
	if s.ended {
		return
	}
	now := time.Since(s.epoch)
	var next time.Duration
	var late []*slot
	for _, sl := range s.calls.active {
		switch {
		case !sl.waiting || sl.deadline == 0:
		case sl.deadline <= now:
			late = append(late, sl)
		case next == 0 || sl.deadline < next:
			next = sl.deadline
		}
	}
	for _, sl := range late { // which are active no longer after that, if they stream
		s.abandonLocked(sl, context.DeadlineExceeded)
	}
	if next != 0 {
		s.armLocked(next)
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
	for _, sl := range slices.Clone(c.active) { // streams leave the list as they end
		if sl.waiting {
			s.endLocked(sl, nil, s.lostLocked(sl, cause))
		}
	}
	for _, in := range s.inFlight {
		if in.stream != nil {
			in.stream.finishLocked(nil, closedError(cause))
		}
	}
}

// lostLocked is the error of a call whose connection has ended for cause.
func (s *Session) lostLocked(sl *slot, cause error) *wire.Error {
	if v := s.verdict; v != nil && sl.stream != nil && sl.stream.begun {
		known := *v // whatever the peer says now, it had begun
		known.Details.Executed, known.Details.Retryable = wire.ExecutedMaybe, false
		return &known
	} else if v != nil {
		return v
	}
	e := wire.Errorf(wire.CodeConnectionLost, "connection lost while the call was outstanding: %w", cause)
	e.Details.Executed = wire.ExecutedMaybe
	if sl.end > s.outbox.taken { // its last byte never left
		e.Details.Executed, e.Details.Retryable = wire.ExecutedNo, true
	}
	e.Details.Origin = s.opts.Origin
	return e
}
