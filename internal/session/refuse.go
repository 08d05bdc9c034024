package session

import (
	"bytes"
	"errors"

	"github.com/ekkojs/ipc/wire"
)

// stray accounts for an answer that no call waits for. The refusal of an event
// is for somebody to hear; a late answer is not.
func (s *Session) stray(m *wire.Message) {
	if bytes.HasPrefix(m.CorrelationID, pingPrefix) {
		return
	}
	if index, ok := indexOf(m.CorrelationID); m.Error == nil || ok && index < maxSlots {
		s.late.Add(1) // the call was given up
		return
	}
	err := wire.DecodeError(m.Error)
	turnedAway := err.Code == wire.CodeQuotaExceeded || err.Code == wire.CodeShuttingDown
	if m.CorrelationID == nil && turnedAway && s.frames.Load() == 1 {
		s.failAll(err) // with the first word: nothing that was sent is read
		return
	}
	s.handler.Stray(m.CorrelationID, err)
}

// refuse answers a message that could not be read, and hangs up on a peer
// that sends too many of them.
func (s *Session) refuse(m *wire.Message, text []byte, err error) {
	if !s.opts.Inline && s.unreadable(text, err) {
		m = nil
	}
	if s.malformed.Add(1) > maxMalformed {
		s.flushBeforeClose()
		s.fail(err)
		return
	}
	var e *wire.Error
	if !errors.As(err, &e) {
		e = wire.Errorf(wire.CodeMalformedMessage, "%w", err)
	}
	if s.opts.Inline || m != nil && m.MessageID != nil {
		s.answerError(m, e)
	}
}

// unreadable ends the call that a message which could not be read was the
// answer to, so that its caller need not wait for the deadline. Nobody guesses
// an id, so where one is named the message is about that call.
func (s *Session) unreadable(text []byte, err error) bool {
	_, id, found := bytes.Cut(text, correlation)
	if !found || len(id) < len(slot{}.id) {
		return false
	}
	id = id[:len(slot{}.id)]
	index, ok := indexOf(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok || index >= uint32(len(s.calls.slots)) {
		return false
	}
	sl := s.calls.slots[index]
	if !sl.waiting || string(sl.id[:]) != string(id) {
		return false
	}
	e := wire.Errorf(wire.CodeOf(err), "the answer cannot be read: %w", err)
	e.Details.Executed, e.Details.Retryable, e.Details.Origin = wire.ExecutedMaybe, false, s.opts.Origin
	s.endLocked(sl, nil, e)
	return true
}

var correlation = []byte(`"correlationId":"`)
