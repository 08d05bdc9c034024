package session

import (
	"context"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// How a service leaves without losing a call:
//
//	it says ipc.goodbye with "more"      no request is begun from now on
//	requests that run are answered       new ones are told SHUTTING_DOWN
//	it says ipc.goodbye without "more"   what has no answer by now never ran
//	it closes the connection
//
// So the client knows of every request whether it was carried out, of those
// too that the service never read.

var goodbyeChannel = []byte("ipc.goodbye")

// Drain lets the peer's running requests finish, answers new ones with
// SHUTTING_DOWN, and then closes the session. When ctx ends before, the
// session is closed at once and the error is ctx's.
func (s *Session) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.draining.Store(true)
	flush := s.sayGoodbyeLocked(true)
	s.mu.Unlock()
	if flush {
		s.flush()
	}
	s.conn.InterruptRead()
	var err error
	select {
	case <-s.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.fail(nil)
	if err == nil {
		s.workers.Wait()
	}
	return err
}

// sayGoodbyeLocked reports whether the caller must flush. A peer that has
// said nothing yet knows of no goodbyes, and one that will say nothing more is
// leaving itself.
func (s *Session) sayGoodbyeLocked(more bool) (flush bool) {
	if s.frames.Load() == 0 || s.deaf {
		return false
	}
	m := wire.Message{Type: wire.TypeEvent, Channel: goodbyeChannel}
	if more {
		m.Metadata = moreMetadata
	}
	s.freshLocked(&m, time.Now())
	_, err := s.appendLocked(&m)
	return err == nil && s.claimLocked()
}

var moreMetadata = []byte(`{"more":true}`)

// drained reports whether the session is to end and nothing runs any more.
func (s *Session) drained() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining.Load() && len(s.inFlight)+s.unnamed == 0
}

// leave ends a session whose requests are all answered.
func (s *Session) leave() {
	s.mu.Lock()
	flush := s.sayGoodbyeLocked(false)
	strange := s.frames.Load() == 0 && !s.deaf
	s.mu.Unlock()
	if flush {
		s.flush()
	}
	if strange { // its first requests may be on their way
		s.answerError(nil, ShuttingDown())
	}
	s.flushBeforeClose()
	s.fail(nil)
}

// farewell is a client's side of it. It runs on the reading goroutine.
func (s *Session) farewell(more bool) {
	s.broken.Store(true) // new calls wait for the end, and for another connection
	if more {
		return
	}
	if s.collecting != nil {
		s.deliver(s.collecting) // what was said before counts
	}
	s.failAll(ShuttingDown())
}

// ShuttingDown is the outcome of requests that a service has not taken up
// before it shut down.
func ShuttingDown() *wire.Error {
	e := wire.Errorf(wire.CodeShuttingDown, "the service has shut down and did not take up the request")
	e.Details.Executed, e.Details.Retryable, e.Details.Origin = wire.ExecutedNo, true, wire.OriginService
	return e
}
