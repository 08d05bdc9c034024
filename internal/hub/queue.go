package hub

import "sync"

// queue is what waits for one subscriber: gaps, then frames, both oldest
// first. A frame is only ever dropped from the front, so every gap is older
// than every frame, and delivering the gaps first puts each of them before
// the next event of its channel, even when there never is one.
type queue struct {
	maxMessages, maxBytes int

	mu     sync.Mutex
	closed bool
	failed bool    // closed because it was slow
	ring   []entry // a ring buffer; its length is a power of two, or 0
	head   int     // index in ring of the oldest frame
	count  int
	bytes  int // of the frames in ring
	gaps   gapList

	// What to call, without locks, when something waits, and when the queue
	// has failed; nil if nothing. They are forgotten with the rest when the
	// queue closes, since topics may remember a subscriber for long.
	notify func()
	onSlow func(error)

	// offered == delivered + dropped + count, always.
	offered, delivered, dropped uint64
}

// entry is a frame that waits.
type entry struct {
	*frame
	policy Policy // of the subscription it came by
}

// smallRing is the size of ring that is kept while nothing waits.
const smallRing = 256

// outcome is what a push has led to.
type outcome struct {
	accepted bool        // the frame waits
	wake     func()      // to be called if not nil: something waits, and nothing did before
	failed   bool        // the queue closed itself
	onSlow   func(error) // to be called then, if not nil
}

// minGaps is how many gaps even the smallest queue may hold.
const minGaps = 64

// push adds f, dropping the oldest frames as far as the limits ask for. The
// queue fails, and is closed, when it would have to drop a frame that policy
// forbids to, or has more gaps to tell of than it may hold frames.
func (q *queue) push(f *frame, policy Policy) outcome {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return outcome{}
	}
	idle := q.emptyLocked()
	q.offered++
	fits := q.makeRoomLocked(len(f.bytes))
	if e := (entry{f, policy}); fits {
		q.pushLocked(e)
	} else {
		q.dropLocked(e)
	}
	if q.failed = q.failed || q.gaps.len() > max(q.maxMessages, minGaps); q.failed {
		o := outcome{failed: true, onSlow: q.onSlow}
		q.closeLocked()
		return o
	}
	o := outcome{accepted: fits}
	if idle {
		o.wake = q.notify
	}
	return o
}

// makeRoomLocked drops frames until size more bytes fit. Should they never
// fit, the new frame will be lost with all before it: a gap has to be older
// than every frame.
func (q *queue) makeRoomLocked(size int) (fits bool) {
	for q.count > 0 && (q.count >= q.maxMessages || q.bytes+size > q.maxBytes) {
		q.dropLocked(q.popLocked())
	}
	return size <= q.maxBytes
}

func (q *queue) emptyLocked() bool { return q.count == 0 && q.gaps.len() == 0 }

func (q *queue) pushLocked(e entry) {
	if q.count == len(q.ring) {
		q.growLocked()
	}
	q.ring[(q.head+q.count)&(len(q.ring)-1)] = e
	q.count++
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
	if q.count == 0 && len(q.ring) > smallRing {
		q.ring, q.head = nil, 0
	}
	return e
}

func (q *queue) dropLocked(e entry) {
	q.dropped++
	q.failed = q.failed || e.policy == PolicyDisconnect
	q.gaps.add(e.topic, e.seq)
}

// takeLocked moves the oldest frames into batch: at most room bytes of them,
// but one in any case if atLeastOne is set.
func (q *queue) takeLocked(batch []*frame, room int, atLeastOne bool) (n int) {
	for n < len(batch) && q.count > 0 {
		size := len(q.ring[q.head].bytes)
		if size > room && !(atLeastOne && n == 0) {
			break
		}
		batch[n] = q.popLocked().frame
		room -= size
		n++
	}
	q.delivered += uint64(n)
	return n
}

// pending reports whether anything waits.
func (q *queue) pending() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.emptyLocked()
}

// close drops what waits, and refuses everything from now on.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closeLocked()
}

func (q *queue) closeLocked() {
	q.closed = true
	q.dropped += uint64(q.count)
	q.ring, q.head, q.count, q.bytes = nil, 0, 0, 0
	q.gaps = gapList{}
	q.notify, q.onSlow = nil, nil
}
