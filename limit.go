package ipc

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// limit is how many requests may run at once: of one method, or of the whole
// service. Those above it wait in its queue, in the order in which they came,
// and cost no goroutine meanwhile: whoever leaves starts the next.
//
//	          enter            leave
//	request ────────▶ running ───────▶ answered
//	   │ push            ▲
//	   ▼                 │ next, by whoever leaves
//	waiting ─────────────┘
//	   │ remove: its time is up, its caller or its connection is gone
//	   ▼
//	answered, not executed
type limit struct {
	most  uint64   // requests running at once
	queue int      // requests waiting at once
	held  *storage // what those waiting hold in memory, of all limits together
	what  string   // is limited: a method or the service

	// state counts the running requests in its lower half and the waiting
	// ones in its upper half. While none waits it is all there is to enter
	// and to leave: two atomic operations a request. The upper half changes
	// under mu only.
	state atomic.Uint64

	// crowded is since when, as a time after made, there has been no slot
	// free; 0: there was one. It is kept for burst.
	crowded atomic.Int64
	made    time.Time

	mu     sync.Mutex // guards all below; taken before the locks of a session
	queued tickets
	pace   pace
}

// newLimit returns a limit whose queue is as the service's options say. The
// first one made is the service's own.
func (s *Service) newLimit(most int, what string) *limit {
	l := &limit{made: s.started, most: uint64(most), queue: max(s.opts.MaxQueued, 0), what: what}
	if s.limit == nil {
		l.held = &storage{most: MaxQueuedBytes}
	} else {
		l.held = s.limit.held
	}
	l.pace.allow = s.opts.QueueDelay
	return l
}

// The goroutines that may be waiting for a processor, for each there is; and
// how many, for how long, when a connection has brought many requests at
// once: then the goroutine that reads is the only reason why they do not
// begin.
const (
	startsPerProcessor = 8
	burstPerProcessor  = 64
	burstFor           = 2 * time.Millisecond
)

// newStarts returns the limit of goroutines that have been started for
// requests and have not begun. Where handlers wait for something there are
// hardly any; where they compute, more than the processors can do, they would
// pile up in the queue of the Go runtime: there nobody can be refused or
// leave, and what would have to refuse them, the goroutines that read,
// stands in the same queue. So they pile up in ours.
func (s *Service) newStarts() *limit {
	l := s.newLimit(startsPerProcessor*runtime.GOMAXPROCS(0), s.name+", busy with computing,")
	l.queue = s.opts.MaxConcurrent // they have passed that limit already
	return l
}

// burst is enter for one that finds no slot free, if it has been so for a
// moment only.
func (l *limit) burst() bool {
	now := time.Since(l.made)
	crowded := time.Duration(l.crowded.Load())
	if crowded == 0 {
		l.crowded.Store(int64(now))
	} else if now-crowded > burstFor {
		return false
	}
	for {
		s := l.state.Load()
		if s >= l.most*burstPerProcessor/startsPerProcessor { // or somebody waits
			return false
		}
		if l.state.CompareAndSwap(s, s+oneRunning) {
			return true
		}
	}
}

// begun is leave for a goroutine that begins. Where requests wait, as this one
// has done or others do, it lets those run first that the runtime has found
// ready: else one handler would follow the other on each processor, and the
// goroutines that read, which come from the network's end of the runtime's
// queues, would get a turn only every half a second.
func (l *limit) begun(waited bool) {
	if waited || l.waiting() > 0 {
		runtime.Gosched()
	}
	l.leave()
}

const (
	oneRunning  = uint64(1)
	oneWaiting  = uint64(1) << 32
	runningMask = oneWaiting - 1
)

// enter takes a slot if one is free and nobody waits for it.
func (l *limit) enter() bool {
	for {
		s := l.state.Load()
		if s >= oneWaiting || s >= l.most {
			return false
		}
		if l.state.CompareAndSwap(s, s+oneRunning) {
			if l.crowded.Load() != 0 {
				l.crowded.Store(0)
			}
			return true
		}
	}
}

// leave gives a slot back: to the request that has waited longest, unless a
// burst has taken more slots than there are.
func (l *limit) leave() {
	for {
		s := l.state.Load()
		if s < oneWaiting || s&runningMask > l.most {
			if l.state.CompareAndSwap(s, s-oneRunning) {
				return
			}
			continue
		}
		t := l.next()
		if t == nil || t.granted() {
			return
		}
	}
}

// next takes the request that has waited longest out of the queue, for the
// slot of one that leaves. If none is left the slot is free.
func (l *limit) next() *ticket {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.queued.first != nil {
		t := l.queued.first
		l.takeOutLocked(t)
		if t.claim() {
			l.pace.served(time.Now(), l.waiting())
			return t
		}
	}
	l.state.Add(^uint64(0))
	return nil
}

// refusal returns why a request with so much time left may not wait, nil if
// it may.
func (l *limit) refusal(left time.Duration, size int) *Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.state.Load(); s < oneWaiting && s < l.most {
		return nil // it will not have to
	}
	return l.refusalLocked(time.Now(), left, size)
}

func (l *limit) refusalLocked(now time.Time, left time.Duration, size int) *Error {
	depth, age := l.waiting(), time.Duration(0)
	if l.queued.first != nil {
		age = now.Sub(l.queued.first.since)
	}
	expected := l.pace.expected(depth, age)
	var e *Error
	switch {
	case depth >= l.queue:
		e = wire.Errorf(wire.CodeQueueFull, "%s takes %d at once, and %d wait already, as many as may", l.what, l.most, depth)
	case !l.held.fits(size):
		e = wire.Errorf(wire.CodeQueueFull, "%s takes %d at once, and those that wait fill the memory there is for it", l.what, l.most)
	case l.pace.tooLate(depth, expected, left, l.most):
		e = wire.Errorf(wire.CodeOverloaded, "%s takes %d at once, and %d wait already: the answer would come too late", l.what, l.most, depth)
	case l.pace.tooMuch(now, expected, l.most):
		e = wire.Errorf(wire.CodeOverloaded, "%s takes %d at once, and %d wait already: more comes than is done", l.what, l.most, depth)
	default:
		return nil
	}
	e.Details.RetryAfter = retryAfter(expected)
	e.Details.More = map[string]any{"depth": depth, "limit": l.queue}
	return e
}

// push puts t at the end of the queue, or lets it enter if a slot has become
// free meanwhile. Once t waits nothing of it may be touched.
func (l *limit) push(t *ticket) (entered bool, refused *Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.enter() {
		return true, nil
	}
	now := time.Now()
	if err := l.refusalLocked(now, t.in.Left(), t.size()); err != nil {
		return false, err
	}
	for { // leavers may still be taking the quick way
		s := l.state.Load()
		if s < oneWaiting && s < l.most {
			if l.state.CompareAndSwap(s, s+oneRunning) {
				return true, nil
			}
			continue
		}
		if l.state.CompareAndSwap(s, s+oneWaiting) {
			break
		}
	}
	if l.queued.first == nil {
		l.pace.begins(now)
	}
	t.since = now
	l.queued.add(t)
	l.held.take(t.size())
	t.place = l
	t.turn.Store(turnWaiting)
	return false, nil
}

// remove takes out a request that no longer waits. It implements place.
func (l *limit) remove(t *ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.listed {
		l.takeOutLocked(t)
	}
}

func (l *limit) takeOutLocked(t *ticket) {
	l.queued.remove(t)
	l.state.Add(^(oneWaiting - 1))
	l.held.give(t.size())
	if l.queued.first == nil {
		l.pace.ends()
	}
}

// running and waiting are how many requests do.
func (l *limit) running() int { return int(l.state.Load() & runningMask) }
func (l *limit) waiting() int { return int(l.state.Load() >> 32) }

// waiting is how many requests wait for any limit.
func (s *Service) waiting() int {
	n := s.limit.waiting() + s.starts.waiting()
	for _, m := range s.methods {
		if m.limit != nil {
			n += m.limit.waiting()
		}
	}
	return n
}

// storage is how many bytes may be held for requests that wait.
type storage struct {
	most int64
	used atomic.Int64
}

// fits may be passed by several at the same moment; it is a bound on memory,
// not a promise to the byte.
func (s *storage) fits(size int) bool { return s.used.Load()+int64(size) <= s.most }
func (s *storage) take(size int)      { s.used.Add(int64(size)) }
func (s *storage) give(size int)      { s.used.Add(-int64(size)) }
