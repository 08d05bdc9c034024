package hub

import (
	"sync"

	"github.com/ekkojs/ipc/internal/filter"
)

// queue is what waits for one subscriber: gaps, then frames, both oldest
// first. A frame is only ever dropped from the front, so every gap is older
// than every frame, and delivering the gaps first puts each of them before
// the next event of its name, even when there never is one.
type queue struct {
	maxMessages, maxBytes int
	budget                account        // its part of what its user may hold
	pace                  pace           // of its receiver
	tag                   []byte         // id of its only subscription; nil if it may have many
	filter                *filter.Filter // nil: all events

	mu     sync.Mutex
	closed bool
	failed bool    // closed because it was slow
	losing bool    // something was dropped since it was last empty
	ring   []entry // a ring buffer; its length is a power of two, or 0
	head   int     // index in ring of the oldest frame
	count  int
	peak   int // the highest count since it was empty
	calm   int // how often it was emptied since that was much for the ring
	bytes  int // of the frames in ring
	gaps   gapList

	// catching are the streams whose events it gets from their logs until it
	// has caught up. Nil when there are none.
	catching map[*stream]struct{}

	// What to call, without locks, when something waits, when it begins to
	// lose events, and when the queue has failed; nil if nothing. They are
	// forgotten with the rest when the queue closes, since topics may
	// remember a subscriber for long.
	notify func()
	onLoss func()
	onSlow func(error)

	// offered == delivered + dropped + count, always.
	offered, delivered, dropped uint64
}

// entry is a frame that waits.
type entry struct {
	*frame
	policy Policy // of the subscription it came by
	charge int32  // to the budget
}

const (
	// smallRing is the size of a ring that is always kept.
	smallRing = 256
	// calmBefore is how often a larger one has been too large when half of it
	// is given back: bursts come again.
	calmBefore = 64
)

// outcome is what a push has led to.
type outcome struct {
	accepted bool        // the frame waits, or will be read from the log
	kept     bool        // it waits: its reference is the queue's now
	behind   bool        // and others wait before it
	wake     func()      // to be called if not nil: something waits, and nothing did before
	loss     func()      // likewise: it has begun to lose events
	failed   bool        // the queue closed itself
	onSlow   func(error) // to be called then, if not nil
}

// minGaps is how many gaps even the smallest queue may hold.
const minGaps = 64

// entryCost is what a frame that waits costs besides its bytes.
const entryCost = 32

// push adds f, dropping the oldest frames as far as the limits ask for. The
// queue fails, and is closed, when it would have to drop a frame that policy
// forbids to, or has more gaps to tell of than it may hold frames. sharers is
// how many queues f goes to: they share the cost of it.
func (q *queue) push(f *frame, policy Policy, sharers int) outcome {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return outcome{}
	}
	if q.catching != nil {
		if _, catching := q.catching[f.topic.stream]; catching {
			return outcome{accepted: true, behind: true} // it comes from the log
		}
	}
	idle, losing := q.emptyLocked(), q.losing
	q.offered++
	e := entry{f, policy, entryCost + int32(len(f.bytes)/max(sharers, 1))}
	fits := q.makeRoomLocked(len(f.bytes), int(e.charge))
	o := outcome{accepted: fits, kept: fits, behind: q.count > 0}
	if fits {
		q.pushLocked(e)
	} else {
		q.loseLocked(e)
	}
	if q.failed = q.failed || q.gaps.len() > max(q.maxMessages, minGaps); q.failed {
		o = outcome{kept: fits, failed: true, onSlow: q.onSlow}
		q.closeLocked()
		return o
	}
	if idle {
		o.wake = q.notify
	}
	if q.losing && !losing {
		o.loss = q.onLoss
	}
	return o
}

// makeRoomLocked drops frames until size more bytes fit, here and in the
// budget, which is charged. Should they never fit, the new frame will be lost
// with all before it: a gap has to be older than every frame.
func (q *queue) makeRoomLocked(size, charge int) (fits bool) {
	for q.count > 0 && (q.count >= q.maxMessages || q.bytes+size > q.maxBytes) {
		q.dropLocked(q.popLocked())
	}
	if size > q.maxBytes {
		return false
	}
	for !q.budget.charge(charge) {
		if q.count == 0 {
			return false
		}
		q.dropLocked(q.popLocked())
	}
	return true
}

func (q *queue) emptyLocked() bool { return q.count == 0 && q.gaps.len() == 0 }

func (q *queue) pushLocked(e entry) {
	if q.count == len(q.ring) {
		q.growLocked()
	}
	q.ring[(q.head+q.count)&(len(q.ring)-1)] = e
	q.count++
	q.peak = max(q.peak, q.count)
	q.bytes += len(e.bytes)
}

func (q *queue) growLocked() {
	bigger := make([]entry, max(8, 2*len(q.ring)))
	n := copy(bigger, q.ring[q.head:])
	copy(bigger[n:], q.ring[:q.head])
	q.ring, q.head = bigger, 0
}

// popLocked removes the oldest frame. There must be one.
func (q *queue) popLocked() entry {
	e := q.ring[q.head]
	q.ring[q.head] = entry{}
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.count--
	q.bytes -= len(e.bytes)
	q.budget.release(int(e.charge))
	if q.count == 0 {
		q.shrinkLocked()
	}
	return e
}

// shrinkLocked gives back half of a ring that for long has been much larger
// than what waited in it.
func (q *queue) shrinkLocked() {
	if q.calm++; len(q.ring) <= smallRing || q.peak >= len(q.ring)/16 {
		q.calm = 0
	}
	if q.calm == calmBefore {
		q.ring, q.head, q.calm = make([]entry, len(q.ring)/2), 0, 0
	}
	q.peak = 0
}

// dropLocked loses a frame that waited.
func (q *queue) dropLocked(e entry) {
	q.loseLocked(e)
	e.sheet.release(1)
}

// loseLocked counts a frame as lost.
func (q *queue) loseLocked(e entry) {
	q.dropped++
	q.losing = true
	q.failed = q.failed || e.policy == PolicyDisconnect
	q.gaps.add(e.topic, e.seq, e.topic.stream.loose() || q.filter != nil)
}

// takeLocked moves the oldest frames into batch: at most room bytes of them,
// extra more each, but one in any case if atLeastOne is set.
func (q *queue) takeLocked(batch []*frame, room int, atLeastOne bool, extra int) (n int) {
	for n < len(batch) && q.count > 0 {
		f := q.ring[q.head].frame
		size := len(f.bytes) + extra
		if size > room && !(atLeastOne && n == 0) || !f.paid && !q.pace.spendLive(q.catching != nil, int(f.data)) {
			break
		}
		batch[n] = q.popLocked().frame
		room -= size
		n++
	}
	q.delivered += uint64(n)
	q.losing = q.losing && q.count > 0
	return n
}

// pending reports whether anything waits for the receiver to take it.
func (q *queue) pending() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pendingLocked()
}

func (q *queue) pendingLocked() bool {
	return q.gaps.len() > 0 || q.count > 0 && (q.ring[q.head].paid || !q.pace.spentLive(q.catching != nil))
}

// wanting returns what to call if anything waits for the receiver to take it.
func (q *queue) wanting() func() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.pendingLocked() {
		return nil
	}
	return q.notify
}

// idle reports whether it has nothing at all.
func (q *queue) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.emptyLocked()
}

// wakes returns what to call when something waits; nil if it is closed.
func (q *queue) wakes() func() {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.notify
}

// close drops what waits, and refuses everything from now on.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closeLocked()
}

func (q *queue) closeLocked() {
	if q.closed {
		return
	}
	q.closed = true
	q.dropped += uint64(q.count)
	for q.count > 0 {
		q.popLocked().sheet.release(1)
	}
	q.ring, q.head, q.count, q.bytes = nil, 0, 0, 0
	q.gaps, q.catching = gapList{}, nil
	q.notify, q.onLoss, q.onSlow = nil, nil, nil
}

// room returns how many past events may wait here too. They are safe where they
// are, so a queue that is half full, and perhaps about to lose its oldest
// frames, gets none.
func (q *queue) room() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return (q.maxMessages+1)/2 - q.count
}

// catch begins to leave out the events of a stream.
func (q *queue) catch(s *stream) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if q.catching == nil {
		q.catching = map[*stream]struct{}{}
	}
	q.catching[s] = struct{}{}
}

// caught ends that and adds the frames that are missing, unless they do not
// all fit without a loss. The caller holds the stream's lock.
func (q *queue) caught(s *stream, missing []entry) (o outcome, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return outcome{}, true
	}
	bytes, charge := q.bytes, 0
	for _, e := range missing {
		bytes += len(e.bytes)
		charge += int(e.charge)
	}
	if len(missing) > 0 && (q.count+len(missing) > q.maxMessages || bytes > q.maxBytes || !q.budget.charge(charge)) {
		return outcome{}, false
	}
	if delete(q.catching, s); len(q.catching) == 0 {
		q.catching = nil
	}
	for _, e := range missing {
		q.pushLocked(e)
	}
	if q.pendingLocked() { // also what was held back for the sake of past events
		o.wake = q.notify
	}
	q.offered += uint64(len(missing))
	return o, true
}

// count notes events that did not come by push.
func (q *queue) countPast(offered, delivered, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.offered += offered
	q.delivered += delivered
	q.dropped += dropped
}

// takeOnSlow returns what to call should the subscriber be closed, once.
func (q *queue) takeOnSlow() func(error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.onSlow
	q.onSlow = nil
	return f
}
