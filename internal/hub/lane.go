package hub

import "sync"

// laneSize is how many bytes may be ready for one subscriber before the
// making of more waits.
const laneSize = 64 << 10

// lane holds frames that were made for one subscriber alone, from a log. It
// is filled by a goroutine that ends when there is nothing to do or enough is
// ready, so that a log on a slow disk holds up nobody else.
type lane struct {
	hub    *Hub
	budget *Budget // what is ready is charged to it
	notify func()  // something is ready after nothing was
	over   func()  // a source is not needed any more

	mu      sync.Mutex
	closed  bool
	feeding bool     // the goroutine runs
	again   bool     // and must look once more
	sources []source // that may have more
	buf     []byte   // frames that are ready
}

// source makes the frames of a lane.
type source interface {
	// next appends frames to dst, about room bytes of them. drained says that
	// all it made before has been taken.
	next(dst []byte, room int, drained bool) ([]byte, sourceState)
}

// sourceState says how a source stands after next.
type sourceState uint8

const (
	sourceMore    sourceState = iota // it has more
	sourceIdle                       // somebody will wake the lane
	sourceStalled                    // it goes on when all it made has been taken
	sourceOver                       // it is not needed any more
)

// add gives the lane one more source and begins to fill.
func (l *lane) add(s source) {
	l.mu.Lock()
	l.sources = append(l.sources, s)
	l.mu.Unlock()
	l.wake()
}

// wake has the sources asked, if there is room for what they make.
func (l *lane) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wakeLocked()
}

func (l *lane) wakeLocked() {
	switch {
	case l.closed || len(l.sources) == 0 || l.roomLocked() == 0:
	case l.feeding:
		l.again = true
	default:
		l.feeding = l.hub.start(l.feed)
	}
}

// roomLocked returns how many bytes may be made now. Where the budget is used
// up by others that is one frame, and no more until it is taken.
func (l *lane) roomLocked() int {
	room := l.budget.left(max(laneSize-len(l.buf), 0))
	if room == 0 && len(l.buf) == 0 {
		return 1
	}
	return room
}

// feed asks the sources in turn until none has more, or enough is ready.
func (l *lane) feed() {
	var made []byte
	for idle := 0; ; { // how many sources in a row had nothing
		s, room, drained := l.claim(&idle)
		if s == nil {
			return
		}
		var state sourceState
		made, state = s.next(made[:0], room, drained)
		notify, over := l.keep(s, room, made, state, &idle)
		if over {
			return
		}
		if notify != nil {
			notify()
		}
		if state == sourceOver {
			l.over()
		}
	}
}

// claim returns the source whose turn it is and for how many bytes there is
// room, nil if the feeding is over. drained says that all which was ready has
// been taken.
func (l *lane) claim(idle *int) (s source, room int, drained bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.again {
		l.again, *idle = false, 0
	}
	room = l.roomLocked()
	if l.closed || *idle >= len(l.sources) || room == 0 {
		l.feeding = false
		return nil, 0, false
	}
	l.budget.take(room) // so that others do not count on it meanwhile
	return l.sources[0], room, len(l.buf) == 0
}

// keep makes ready what a source has made in its turn, and returns what to
// call. over: the lane is closed.
func (l *lane) keep(s source, room int, made []byte, state sourceState, idle *int) (notify func(), over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget.release(room)
	if l.closed { // and has let go of the sources
		l.feeding = false
		return nil, true
	}
	if l.keepLocked(made) {
		notify = l.notify
	}
	l.sources = l.sources[1:]
	if state != sourceOver {
		l.sources = append(l.sources, s)
	}
	taken := state == sourceStalled && len(l.buf) == 0 // meanwhile
	if state == sourceIdle || state == sourceStalled && !taken {
		*idle++
	} else {
		*idle = 0
	}
	return notify, false
}

// keepLocked makes frames ready, and reports whether nothing was before.
func (l *lane) keepLocked(frames []byte) (first bool) {
	if len(frames) == 0 {
		return false
	}
	first = len(l.buf) == 0
	l.buf = append(l.buf, frames...)
	l.budget.take(len(frames))
	return first
}

func (l *lane) pending() bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.buf) > 0
}

// take moves whole frames to dst, as many as stay within end, but one in any
// case if first is set.
func (l *lane) take(dst []byte, end int, first bool) []byte {
	if l == nil {
		return dst
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for n < len(l.buf) {
		size := headerSize + frameSize(l.buf[n:])
		if len(dst)+n+size > end && !(first && n == 0) {
			break
		}
		n += size
	}
	dst = append(dst, l.buf[:n]...)
	l.budget.release(n)
	if l.buf = l.buf[:copy(l.buf, l.buf[n:])]; len(l.buf) == 0 {
		l.buf = nil
	}
	l.wakeLocked()
	return dst
}

// takeOne removes the oldest frame, nil if there is none.
func (l *lane) takeOne() []byte {
	frame := l.take(nil, 0, true)
	if frame == nil {
		return nil
	}
	return frame[headerSize:]
}

func (l *lane) close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget.release(len(l.buf))
	l.closed, l.sources, l.buf, l.notify = true, nil, nil, nil
}
