package session

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// reset makes in ready for the next message of the goroutine that reads.
func (in *Inbound) reset(s *Session, r *reader) {
	in.s, in.r, in.streams = s, r, false
	if in.Metadata != nil {
		in.Meta = wire.Metadata{}
	}
	in.ctx.Store(nil)
	if in.cancelled.Load() {
		in.cancelled.Store(false)
	}
}

// Inbound is a message that the peer began, on its way through a Handler.
type Inbound struct {
	wire.Message
	Meta wire.Metadata

	s   *Session
	at  time.Time // when it was read, as near as is known
	r   *reader   // whose frame this is; nil if it has a goroutine of its own
	ctx atomic.Pointer[Context]

	// cancelled is set before ctx is looked at, and ctx before cancelled is:
	// whoever comes second ends the context.
	cancelled atomic.Bool

	streams bool    // its method does
	stream  *Stream // what streams then, once it is aside

	// Guarded by Session.mu.
	left bool   // counted in Session.inFlight: it no longer holds up the reading
	done bool   // the handler has returned
	id   string // its name in Session.inFlight

	early *early // what has come for its stream before there was one; nil: nothing
}

// Session returns the session it came by.
func (in *Inbound) Session() *Session { return in.s }

// Timeout returns how long the peer waits for the answer: what it said, or
// the default, and never more than MaxTimeout. A stream takes as long as it
// takes, which is 0, unless the peer said otherwise.
func (in *Inbound) Timeout() time.Duration {
	if in.streams {
		return in.Meta.Timeout()
	}
	if in.Meta.TimeoutMS <= 0 {
		return in.s.opts.Timeout
	}
	return min(time.Duration(min(in.Meta.TimeoutMS, MaxTimeout.Milliseconds()))*time.Millisecond, MaxTimeout)
}

// Wanted reports whether the peer waits for an answer.
func (in *Inbound) Wanted() bool { return in.MessageID != nil || in.CorrelationID != nil }

// HandedOver reports whether the handler took so long that another goroutine
// reads by now. It is asked at the end of the handler.
func (in *Inbound) HandedOver() bool {
	return in.r != nil && in.r.state.Load()&stateMask == stateLeft
}

// Reply answers with data, which is JSON, or with null when data is nil.
func (in *Inbound) Reply(data []byte) {
	if data == nil {
		data = null
	}
	in.answer(data, nil)
}

var null = []byte("null")

// ReplyText is Reply with a text, which stays the caller's to release.
func (in *Inbound) ReplyText(t *Text) { in.answerText(nil, t, nil) }

// Fail answers with an error. An event that is refused is answered too, so
// that its publisher can know.
func (in *Inbound) Fail(err *wire.Error) {
	in.answer(nil, err)
}

// ReplyAtomically answers with what f returns, and sends nothing between the
// moment f runs and the answer: f may put a subscription into effect, and the
// answer still comes before its first event. f must be quick, must not call
// the session, and may take the locks of the Source. When it returns nothing,
// nothing is answered.
func (in *Inbound) ReplyAtomically(f func() ([]byte, *wire.Error)) {
	s := in.s
	s.mu.Lock()
	data, err := f()
	flush := (data != nil || err != nil) && s.answerLocked(in, data, nil, err)
	s.mu.Unlock()
	if flush {
		s.flush()
	}
}

func (in *Inbound) answer(data []byte, err *wire.Error) { in.answerText(data, nil, err) }

func (in *Inbound) answerText(data []byte, text *Text, err *wire.Error) {
	if !in.Wanted() {
		return
	}
	s := in.s
	s.mu.Lock()
	flush := s.answerLocked(in, data, text, err)
	s.mu.Unlock()
	if flush {
		s.flush()
	}
}

// answersTo returns what the correlationId of an answer has to be.
func (in *Inbound) answersTo() []byte {
	if in.CorrelationID != nil {
		return in.CorrelationID
	}
	return in.MessageID
}

// answerLocked appends the answer and reports whether the caller must flush.
// The answer is text, or data, or err.
func (s *Session) answerLocked(in *Inbound, data []byte, text *Text, err *wire.Error) bool {
	if st := in.stream; st != nil {
		if st.err != nil { // the client broke the rules meanwhile
			data, text, err = nil, nil, st.err
		}
		st.finishLocked(nil, err)
	}
	var now time.Time
	inline := in.r != nil && !in.left
	if inline {
		now = in.at // a handler that runs inline has not taken long
	}
	before := s.outbox.appended
	e := s.appendAnswerLocked(&in.Message, data, text, err, now)
	if e != nil && e.Code == wire.CodeMessageTooLarge {
		// Only the answer cannot travel: what was done stays done.
		e.Details.Executed = wire.ExecutedYes
		if err != nil {
			e.Details.Executed = err.Details.Executed
		}
		s.appendAnswerLocked(&in.Message, nil, nil, e, now)
	}
	if inline {
		in.r.answered += int(s.outbox.appended - before)
		return false // the reading goroutine flushes after the last frame it has
	}
	return s.claimLocked()
}

// appendAnswerLocked appends the answer to a message, if there is one. now is
// what the clock says, or said a moment ago; zero if nobody has looked.
func (s *Session) appendAnswerLocked(to *wire.Message, data []byte, text *Text, err *wire.Error, now time.Time) *wire.Error {
	m := wire.Message{Type: wire.TypeResponse, Data: data}
	if to != nil {
		if m.CorrelationID = to.CorrelationID; m.CorrelationID == nil {
			m.CorrelationID = to.MessageID
		}
	}
	if err != nil {
		if err.Details.Origin == "" {
			e := *err
			e.Details.Origin = s.opts.Origin
			err = &e
		}
		m.Error = err.AppendJSON(nil)
	}
	if now.IsZero() {
		now = time.Now()
	}
	s.freshLocked(&m, now)
	_, failure := s.appendTextLocked(&m, text)
	return failure
}

// answerError answers a message of which perhaps nothing could be read.
func (s *Session) answerError(to *wire.Message, err *wire.Error) {
	s.mu.Lock()
	s.appendAnswerLocked(to, nil, nil, err, time.Time{})
	flush := s.claimLocked()
	s.mu.Unlock()
	if flush {
		s.flush()
	}
}

// TurnAway tells a peer that it is not served and closes the connection, of
// which nothing has been read or written. An error that answers no request is
// what the peer's calls then fail with.
func TurnAway(conn transport.Conn, err *wire.Error) {
	err.Details.Origin = wire.OriginService
	m := wire.Message{Type: wire.TypeResponse, Error: err.AppendJSON(nil)}
	frame := m.Append(make([]byte, frameHeader))
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-frameHeader))
	conn.Write(frame) // does not wait: the connection is new
	conn.Close()
}

// Go runs handle on a goroutine of its own, with a copy of the message. Too
// many at once are answered QUEUE_FULL; then, and when the session has ended,
// handle does not run and Go reports false. Nothing of in may be used after
// it.
func (in *Inbound) Go(handle func(*Inbound)) (runs bool) {
	own := in.Aside()
	return own != nil && own.Resume(handle)
}

// clone takes the message out of the connection's buffer: it copies it, or if
// it is long, it keeps the buffer.
func (in *Inbound) clone() *Inbound {
	own := &Inbound{Message: in.Message, Meta: in.Meta, s: in.s, at: in.at, streams: in.streams}
	if in.r != nil && len(in.Data) >= adoptFrom && in.r.holding(in.s.conn.Detach) {
		return own
	}
	fields := [...]*[]byte{
		&own.TypeName, &own.MessageID, &own.Channel, &own.Action, &own.Data, &own.Timestamp, &own.CorrelationID, &own.Error, &own.Metadata,
		&own.Meta.Traceparent, &own.Meta.Tracestate, &own.Meta.IdempotencyKey, &own.Meta.Subscription, &own.Meta.Epoch,
	}
	size := 0
	for _, f := range fields {
		size += len(*f)
	}
	arena := make([]byte, 0, size)
	for _, f := range fields {
		if *f == nil {
			continue
		}
		at := len(arena)
		arena = append(arena, *f...)
		*f = arena[at:len(arena):len(arena)]
	}
	return own
}

// mayRunLocked reports whether one more request may run beside the reader.
func (s *Session) mayRunLocked() bool {
	return len(s.inFlight)+s.unnamed < s.opts.MaxInFlight
}

// mayHandOver is mayRunLocked for the watchdog: when it says no, the
// connection waits for its handler, which is the bound there is.
func (s *Session) mayHandOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mayRunLocked()
}

// enrolLocked counts a request that runs beside the reader, where a
// cancellation finds it.
func (s *Session) enrolLocked(in *Inbound) {
	in.left = true
	if s.inFlight == nil {
		s.inFlight = map[string]*Inbound{}
	}
	in.id = string(in.MessageID)
	if _, taken := s.inFlight[in.id]; taken || in.id == "" {
		in.id = ""
		s.unnamed++
		return
	}
	s.inFlight[in.id] = in
}

func (s *Session) strikeLocked(in *Inbound) {
	if in.id == "" {
		s.unnamed--
		return
	}
	delete(s.inFlight, in.id)
}

// handOver starts another reader in the place of r, whose handler goes on.
func (s *Session) handOver(r *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !r.in.done {
		s.enrolLocked(&r.in)
	}
	next := &reader{s: s, at: r.at, batch: r.batch}
	s.goLocked(func() { s.serve(next, true) })
}

// finished ends a request that ran beside the reader.
func (s *Session) finished(in *Inbound) {
	s.mu.Lock()
	if in.left {
		s.strikeLocked(in)
	}
	in.done = true
	flush := !s.outbox.empty() && s.claimLocked()
	quiet := s.draining.Load() && len(s.inFlight)+s.unnamed == 0
	deaf := s.deaf
	s.mu.Unlock()
	if flush {
		s.flush()
	}
	switch {
	case quiet && deaf:
		s.leave()
	case quiet:
		s.conn.InterruptRead()
	}
}

// cancelRequest ends the context of the peer's request with that id.
func (s *Session) cancelRequest(id []byte) {
	s.mu.Lock()
	var ctx *Context
	if in := s.inFlight[string(id)]; in != nil {
		ctx = in.cancelLocked()
	}
	s.mu.Unlock()
	if ctx != nil {
		ctx.cancel(context.Canceled)
	}
}

// cancelLocked returns the context that the caller is to cancel, without the
// lock; nil if it has not been started.
func (in *Inbound) cancelLocked() *Context {
	in.cancelled.Store(true)
	return in.ctx.Load()
}
