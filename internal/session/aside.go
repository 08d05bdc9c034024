package session

import (
	"time"

	"github.com/ekkojs/ipc/wire"
)

// Aside takes the message off the reading goroutine without running anything:
// the copy it returns counts as a request in flight, where a cancellation
// finds it, until Resume has run it or Drop has let it go. It is nil when the
// connection has too many already, or cannot have this one; that has been
// answered then.
// Nothing of in may be used after it.
func (in *Inbound) Aside() *Inbound {
	s := in.s
	own := in.clone()
	s.mu.Lock()
	refused := in.streamRefusedLocked()
	if refused == nil && !in.left && !s.mayRunLocked() {
		refused = s.crowded()
	}
	if refused == nil {
		if in.left {
			s.passOnLocked(in, own)
		} else {
			s.enrolLocked(own)
		}
		if own.streams {
			own.openLocked(in.early)
		}
	}
	s.mu.Unlock()
	if refused != nil {
		in.Fail(refused)
		return nil
	}
	return own
}

// passOnLocked gives own the place of in, from which the reading was handed
// over before it could go aside. What has come for it meanwhile is not lost.
func (s *Session) passOnLocked(in, own *Inbound) {
	s.strikeLocked(in)
	in.left = false
	s.enrolLocked(own)
	own.cancelled.Store(in.cancelled.Load())
}

// Resume runs handle on a goroutine of its own. in is what Aside returned. It
// reports false when the session has ended: in is let go then.
func (in *Inbound) Resume(handle func(*Inbound)) bool {
	s := in.s
	s.mu.Lock()
	runs := s.goLocked(func() {
		handle(in)
		s.finished(in)
	})
	if !runs {
		s.strikeLocked(in)
	}
	s.mu.Unlock()
	return runs
}

// Drop lets go of what Aside returned and nothing has run. It has been
// answered before.
func (in *Inbound) Drop() { in.s.finished(in) }

// Allow says how long the request may take at most, and takes when its sender
// says nothing. It comes before Start.
func (in *Inbound) Allow(most time.Duration) {
	if in.Metadata == nil {
		in.Metadata = noMetadata // so that reset clears what is set here
	}
	if ms := max(most.Milliseconds(), 1); in.Meta.TimeoutMS <= 0 || in.Meta.TimeoutMS > ms {
		in.Meta.TimeoutMS = ms
	}
}

var noMetadata = []byte("{}")

// Late reports whether the time that the sender stated is up.
func (in *Inbound) Late() bool {
	return in.Meta.TimeoutMS > 0 && time.Since(in.at) >= in.Timeout()
}

// Left returns how much of the request's time is left.
func (in *Inbound) Left() time.Duration { return in.Timeout() - time.Since(in.at) }

// crowded is the answer to a request too many on one connection.
func (s *Session) crowded() *wire.Error {
	e := wire.Errorf(wire.CodeQueueFull, "%d requests of this connection are running or waiting already", s.opts.MaxInFlight)
	e.Details.RetryAfter = 50 * time.Millisecond
	return e
}
