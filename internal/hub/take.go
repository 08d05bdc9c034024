package hub

import (
	"encoding/binary"
	"slices"
)

// AppendTo moves what waits to dst, oldest first, in the form a connection's
// Write takes: each message preceded by its length. It appends at most
// maxBytes, but at least one message if there is any, and counts what it
// moves as delivered.
func (s *Subscriber) AppendTo(dst []byte, maxBytes int) []byte {
	start := len(dst)
	dst = slices.Grow(dst, min(s.queue.size(), maxBytes))
	for {
		var batch [64]*frame
		var n int
		dst, n = s.queue.take(dst, batch[:], start+maxBytes, len(dst) == start, s.hub.encoder)
		// The copying is done without the lock: a publisher may be waiting
		// for it.
		for _, f := range batch[:n] {
			dst = appendTagged(dst, f.bytes, s.queue.tag)
		}
		releaseAll(batch[:n])
		if n < len(batch) {
			break
		}
	}
	return s.lane.Load().take(dst, start+maxBytes, len(dst) == start)
}

// size is how many bytes of frames wait.
func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes + q.count*q.tagCost()
}

// frameSize reads a frame's header.
func frameSize(frame []byte) int { return int(binary.LittleEndian.Uint32(frame)) }

// take appends the gaps to dst and moves frames into batch, as far as dst
// stays within end, which it does not have to for the very first message.
func (q *queue) take(dst []byte, batch []*frame, end int, first bool, e *encoder) ([]byte, int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.gaps.len() > 0 {
		g := q.gaps.gaps[0]
		longer := e.append(dst, e.gapMessage(g.topic, g.notice(GapSlowConsumer), q.tag))
		if len(longer) > end && !first {
			return dst, 0
		}
		q.gaps.pop()
		dst, first = longer, false
	}
	return dst, q.takeLocked(batch, end-len(dst), first, q.tagCost())
}

// tagCost is how much longer a frame becomes by its tag.
func (q *queue) tagCost() int {
	if q.tag == nil {
		return 0
	}
	return len(`,"subscription":""`) + len(q.tag)
}

// Next removes the oldest message that waits and returns it, without a length
// before it. The message is shared with other subscribers: it may be kept,
// but not written to. It is not ok if nothing waits.
//
// It is for receivers within the process; notify says when to call it.
func (s *Subscriber) Next() (message []byte, ok bool) {
	var batch [1]*frame
	notice, n := s.queue.takeOne(batch[:], s.hub.encoder)
	switch {
	case notice != nil:
		return notice[headerSize:], true
	case n > 0 && s.queue.tag == nil:
		return batch[0].bytes[headerSize:], true
	case n > 0:
		return appendTagged(nil, batch[0].bytes, s.queue.tag)[headerSize:], true
	}
	message = s.lane.Load().takeOne()
	return message, message != nil
}

// takeOne returns the oldest gap as a frame, or else moves the oldest frame
// into batch.
func (q *queue) takeOne(batch []*frame, e *encoder) (notice []byte, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gaps.len() > 0 {
		g := q.gaps.pop()
		return e.append(nil, e.gapMessage(g.topic, g.notice(GapSlowConsumer), q.tag)), 0
	}
	return nil, q.takeLocked(batch, 0, true, 0)
}
