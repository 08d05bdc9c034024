package session

import (
	"errors"
	"io"
	"time"

	"github.com/ekkojs/ipc/observe"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// role says who reads the connection. Guarded by Session.mu.
type role uint8

const (
	roleNone      role = iota // nobody: no call is outstanding
	roleCaller                // the caller of calls.leader
	roleDedicated             // a goroutine of its own
	roleService               // the serving goroutine, or the one it was handed over to
)

const (
	// idleAfter is how long a client's connection may lie unread before a
	// goroutine watches it for its end.
	idleAfter = 10 * time.Millisecond

	// calmReads is how many times in a row a client's reading goroutine may
	// find no call outstanding before it leaves the reading to the callers.
	calmReads = 16
)

// watchIdle puts a goroutine to the connection when no call has begun since
// the last tick. It runs on the timer idle, which is at rest while a
// goroutine reads.
func (s *Session) watchIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.role == roleDedicated {
		return
	}
	if s.role == roleNone && s.seen == s.pulse {
		s.startReaderLocked()
		return
	}
	s.seen = s.pulse
	s.idle.Reset(idleAfter)
}

// KeepReading says that events may come at any time: a goroutine reads until
// as many calls with false as with true were made.
func (s *Session) KeepReading(keep bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !keep {
		s.keep--
		return
	}
	s.keepReadingLocked()
}

func (s *Session) keepReadingLocked() {
	s.keep++
	s.expectLocked()
	if s.role == roleNone {
		s.startReaderLocked()
	}
}

func (s *Session) startReaderLocked() {
	if s.goLocked(s.readForAll) {
		s.role = roleDedicated
	}
}

// readForAll is the goroutine of roleDedicated.
func (s *Session) readForAll() {
	var collected answers
	s.collecting = &collected
	for calm := 0; ; {
		frame, err := s.conn.ReadFrame()
		if err != nil {
			s.deliver(&collected)
		}
		if errors.Is(err, transport.ErrInterrupted) {
			continue
		}
		if err != nil {
			s.readFailed(err)
			return
		}
		s.receive(nil, frame)
		if s.conn.Buffered() && len(collected.waiting) < maxAnswers {
			continue
		}
		s.deliver(&collected)
		if s.conn.Buffered() {
			continue
		}
		s.mu.Lock()
		switch {
		case s.keep > 0 || len(s.calls.active) > dedicateAbove:
			calm = 0
		case len(s.calls.active) <= 1: // the one just answered may still be listed
			calm++
		}
		leave := calm >= calmReads
		if leave {
			s.collecting = nil
			s.role = roleNone
			s.seen = s.pulse
			s.idle.Reset(idleAfter)
			s.passReadingLocked()
		}
		s.mu.Unlock()
		if leave {
			return
		}
	}
}

// readFor reads until sl has its answer. The caller holds roleCaller.
func (s *Session) readFor(sl *slot) {
	for own := false; !own || s.conn.Buffered(); {
		frame, err := s.conn.ReadFrame()
		if errors.Is(err, transport.ErrInterrupted) {
			s.mu.Lock()
			answered := !sl.waiting
			s.mu.Unlock()
			if answered {
				return
			}
			continue
		}
		if err != nil {
			s.readFailed(err)
			return
		}
		if s.receive(nil, frame) {
			own = true
		}
	}
}

// serve is the reading goroutine of a service. When it takes over from
// another one, that one may still use the last frame.
func (s *Session) serve(r *reader, takeOver bool) {
	s.reader.Store(r)
	if takeOver {
		s.conn.Detach()
		s.flushInline()
		if s.receiveBatch(r); r.state.Load()&stateMask == stateLeft {
			return
		}
		s.flushInline()
	}
	for more := false; ; more = s.conn.Buffered() {
		frame, err := s.conn.ReadFrame()
		if errors.Is(err, transport.ErrInterrupted) {
			if s.drained() {
				s.leave()
				return
			}
			if r.stale.Swap(false) && s.renewed() {
				return
			}
			continue
		}
		if err != nil {
			s.readFailed(err)
			return
		}
		if !more {
			r.at = time.Now()
		}
		s.receive(r, frame)
		if r.state.Load()&stateMask == stateLeft {
			return
		}
		if s.conn.Buffered() && r.answered < chunk {
			continue
		}
		r.answered = 0
		s.flushInline()
		s.stallWhileFull()
	}
}

// renewed leaves the reading of an idle connection to a fresh goroutine. The
// stack of one that has run handlers has grown, and the runtime takes nothing
// from one that waits: half of what an idle connection costs.
func (s *Session) renewed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.goLocked(func() { s.serve(&reader{s: s}, false) })
}

// flushInline writes what the handlers of the last frames answered, and the
// events that came meanwhile.
func (s *Session) flushInline() {
	s.mu.Lock()
	waiting := !s.outbox.empty() || s.source != nil && s.source.Pending()
	flush := waiting && s.claimLocked()
	s.mu.Unlock()
	if flush {
		s.flush()
	}
}

// stallWhileFull keeps the service from taking more requests of a peer that
// does not take the answers.
func (s *Session) stallWhileFull() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waitForRoomLocked()
}

// readFailed ends the session for an error of ReadFrame; a frame that broke
// the rules is answered first.
func (s *Session) readFailed(err error) {
	var frame *transport.FrameError
	if errors.As(err, &frame) {
		e := wire.Errorf(wire.CodeMessageTooLarge, "the frame has %d bytes; at most %d are read", frame.Actual, frame.Limit)
		e.Details.More = map[string]any{"limit": frame.Limit, "actual": frame.Actual, "direction": "receive"}
		s.answerError(nil, e)
		s.flushBeforeClose()
	}
	if errors.Is(err, transport.ErrFrameTimeout) {
		e := wire.Errorf(wire.CodeDeadlineExceeded, "a frame was begun and not finished in time")
		e.Details.Executed = wire.ExecutedNo
		e.Details.More = map[string]any{"stage": "receiving"}
		s.answerError(nil, e)
		s.flushBeforeClose()
	}
	if errors.Is(err, io.EOF) && s.opts.Inline && s.peerListens() {
		return
	}
	s.fail(lost(err))
}

// peerListens deals with a peer that has closed its sending side only, as
// programs do that write a few requests and then read until the end: what it
// asked for is still answered. It reports whether requests are running that
// will end the session when they are through.
func (s *Session) peerListens() bool {
	conn, ok := s.conn.(interface{ HalfClosed() bool })
	if !ok || !conn.HalfClosed() {
		return false
	}
	s.mu.Lock()
	s.deaf = true
	s.draining.Store(true)
	running := len(s.inFlight)+s.unnamed > 0
	s.mu.Unlock()
	if !running {
		s.flushBeforeClose()
	}
	return running
}

// receive handles the messages of one frame. r is the reader of a service,
// nil on a client. It reports whether the reading caller's own answer was
// among them.
func (s *Session) receive(r *reader, frame []byte) (own bool) {
	s.frames.Add(1)
	if s.opts.Tap.On() {
		s.opts.Tap.Emit(&observe.Event{Time: time.Now(), Direction: observe.Received, Peer: s.opts.Peer, Frame: frame})
	}
	if !wire.IsBatch(frame) {
		return s.receiveOne(r, frame)
	}
	var batch [][]byte
	for message, err := range s.opts.Limits.Batch(frame) {
		if err != nil {
			s.refuse(nil, nil, err)
			break
		}
		batch = append(batch, message)
	}
	if r != nil {
		r.batch = batch
		s.receiveBatch(r)
		return false
	}
	for _, message := range batch {
		if s.receiveOne(nil, message) {
			own = true
		}
	}
	return own
}

// receiveBatch handles what r.batch holds, until it is empty or somebody else
// reads and goes on with it.
func (s *Session) receiveBatch(r *reader) {
	for len(r.batch) > 0 && r.state.Load()&stateMask != stateLeft {
		message := r.batch[0]
		r.batch = r.batch[1:]
		s.receiveOne(r, message)
	}
}

// receiveOne handles one message.
func (s *Session) receiveOne(r *reader, message []byte) (own bool) {
	in := s.scratch
	if r != nil {
		in = &r.in
	}
	if r == nil && s.shape.Decode(s.opts.Limits, message, &in.Message, &in.Meta, s.shaped) {
		s.shaped = true
		s.handler.Event(in)
		return false
	}
	s.shaped = false
	in.reset(s, r)
	if err := s.opts.Limits.Decode(message, &in.Message); err != nil {
		s.refuse(&in.Message, message, err)
		return false
	}
	if in.Type == wire.TypeResponse {
		return s.receiveAnswer(&in.Message)
	}
	switch {
	case r != nil:
		in.at = r.at
	case in.Type != wire.TypeEvent:
		in.at = time.Now()
	}
	if in.Metadata != nil {
		if err := s.opts.Limits.DecodeMetadata(in.Metadata, &in.Meta); err != nil {
			s.refuse(&in.Message, message, err)
			return false
		}
	}
	switch {
	case in.Type == wire.TypeEvent && string(in.Channel) == string(cancelChannel):
		s.cancelRequest(in.CorrelationID)
	case in.Type == wire.TypeEvent && string(in.Channel) == string(streamChannel):
		s.flow(in)
	case in.Type == wire.TypeEvent && r == nil && string(in.Channel) == string(goodbyeChannel):
		s.farewell(in.Meta.More)
	case in.Type == wire.TypeEvent:
		if r == nil {
			s.shape.Learn(s.opts.Limits, message, &in.Message, &in.Meta)
		}
		s.handler.Event(in)
	case in.Type == wire.TypeUnknown:
		in.Fail(wire.Errorf(wire.CodeProtocolError, "unknown message type %q; known are request, response, event, subscribe and unsubscribe", in.TypeName[:min(len(in.TypeName), 64)]))
	case s.draining.Load():
		in.Fail(wire.Errorf(wire.CodeShuttingDown, "the service is shutting down"))
	case r != nil:
		s.runInline(r)
	default:
		in.Go(s.handler.Request)
	}
	return false
}

// runInline runs the handler on the reading goroutine. The reading may be
// handed over meanwhile; then this goroutine ends when the handler does.
func (s *Session) runInline(r *reader) {
	state := r.begin()
	s.handler.Request(&r.in)
	if r.end(state) {
		return
	}
	s.finished(&r.in)
}

// receiveAnswer gives an answer to its call, or keeps it for deliver. It
// reports whether it was the reading caller's own. Failures are not kept: one
// that no call waits for is told of before any later answer.
func (s *Session) receiveAnswer(m *wire.Message) (own bool) {
	a, ok := s.answerOf(m)
	if ok && a.err == nil && s.collecting != nil && len(s.collecting.waiting) < maxAnswers {
		s.collecting.waiting = append(s.collecting.waiting, a)
		return false
	}
	known := false
	if ok {
		if a.err != nil && s.collecting != nil {
			s.deliver(s.collecting) // the items of a stream come before its end
		}
		own, known = s.complete(&a)
	}
	if !known {
		s.stray(m)
	}
	return own
}
