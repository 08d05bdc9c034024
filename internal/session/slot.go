package session

import (
	"context"
	"fmt"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// slot is the place of one outstanding call. Guarded by Session.mu, but for
// wake.
type slot struct {
	id       [36]byte
	index    uint32
	digits   [4]byte       // index, as it stands in ids
	waiting  bool          // the answer is not there yet
	at       int           // index in calls.active
	end      uint64        // where the request ends in the stream of bytes sent
	deadline time.Duration // since Session.epoch; 0: none
	data     []byte
	err      *wire.Error
	stream   *Stream       // of a request that streams; nobody waits in await for it
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
			copy(sl.digits[:], fmt.Sprintf("%04x", sl.index))
			c.slots = append(c.slots, sl)
			return s.activateLocked(sl), nil
		}
		if err := s.queueLocked(ctx, deadline); err != nil {
			return nil, err
		}
	}
}

// slotFreeLocked reports whether slotLocked would not wait.
func (s *Session) slotFreeLocked() bool {
	c := &s.calls
	room := s.outbox.appended-s.outbox.written <= uint64(s.opts.MaxOutbox)*3/4
	return room && (len(c.free) > 0 || len(c.slots) < min(s.opts.MaxPending, maxSlots))
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
	sl.waiting, sl.data, sl.err, sl.stream = false, nil, nil, nil
	c.free = append(c.free, sl)
	s.nextInQueueLocked()
	if s.role == roleNone && !s.ended {
		s.passReadingLocked()
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
