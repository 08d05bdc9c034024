package ipc

import "time"

// What a service does with more work than it can carry. Work piles up in the
// queues before the limits (limit.go); a queue that only grows serves
// everybody too late and nobody in time. So a request is refused when it
// comes, while refusing is cheap, and never once it waits:
//
//   - when it would not be answered in its own time: it would have to wait for
//     more than half of what its caller has left, or there would be none left
//     to run in;
//   - when the queue stands. A burst may fill the queue; but where the
//     expected wait has been above what is allowed for a whole interval
//     without a break, work comes faster than it is done, and the queue is
//     let shrink to what is allowed by taking nobody in.
//
// That is the idea of CoDel (a queue is bad when it stands, not when it is
// long), with the difference that the expected wait is known before a request
// is queued: how many wait, times how often a slot becomes free. The slots
// stay busy all the while, so that as much gets done as ever.
const (
	// DefaultQueueDelay is ServiceOptions.QueueDelay when it is zero.
	DefaultQueueDelay = time.Second

	// overloadInterval is for how long the expected wait must be above the
	// allowed one before anybody is refused for it; where more is allowed it
	// is that long.
	overloadInterval = 500 * time.Millisecond

	// allowedTurns is how many times the mean run of a handler may be waited
	// for in a standing queue, where that is longer than QueueDelay: methods
	// that take seconds have queues of seconds.
	allowedTurns = 4

	// paceWindow is over how long the departures of a queue that does not
	// become empty are counted, and enoughDepartures how many tell more than
	// all that was known before.
	paceWindow       = 50 * time.Millisecond
	enoughDepartures = 16

	// The bounds of retryAfterMs, and what it is while nothing is known.
	minRetryAfter     = time.Millisecond
	maxRetryAfter     = 5 * time.Second
	unknownRetryAfter = 50 * time.Millisecond
)

// pace is how quickly a queue moves. The lock of its limit guards it. It is
// touched only when requests wait: those that find a slot pay nothing for it.
type pace struct {
	allow time.Duration // ServiceOptions.QueueDelay; negative: any wait is allowed

	gap   time.Duration // mean time between two departures; 0: not known yet
	since time.Time     // when the window began
	count int           // departures in it
	above time.Time     // since when the expected wait is above what is allowed; zero: it is not
}

// begins says that the queue is empty no longer.
func (p *pace) begins(now time.Time) { p.since, p.count = now, 0 }

// ends says that it is empty.
func (p *pace) ends() { p.above = time.Time{} }

// served says that a slot went to a request of the queue, in which so many
// are left.
func (p *pace) served(now time.Time, left int) {
	p.count++
	if span := now.Sub(p.since); span >= paceWindow || left == 0 {
		sample := span / time.Duration(p.count)
		switch {
		case p.gap == 0 || p.count >= enoughDepartures:
			p.gap = sample
		default:
			p.gap = (p.gap + sample) / 2
		}
		p.since, p.count = now, 0
	}
	if !p.above.IsZero() && p.gap*time.Duration(left) <= p.allow/2 {
		p.above = time.Time{}
	}
}

// expected is how long a request will wait that finds depth others waiting,
// the first of them for age: when the handlers stall, that is the first sign.
func (p *pace) expected(depth int, age time.Duration) time.Duration {
	return max(p.gap*time.Duration(depth+1), age)
}

// run is how long a handler takes, of most at once.
func (p *pace) run(most uint64) time.Duration { return p.gap * time.Duration(most) }

// tooLate reports whether a request would spend more than half of the time it
// has left waiting, after which its own run is to come. The wait is not known
// to the moment, and an answer that comes just too late is work for nothing.
// Whoever would be the first to wait is never refused: what is remembered of
// the pace may be old, and by those who wait it is brought up to date.
func (p *pace) tooLate(depth int, expected, left time.Duration, most uint64) bool {
	return depth > 0 && max(2*expected, expected+p.run(most)) > left
}

// tooMuch reports whether the queue has stood for too long.
func (p *pace) tooMuch(now time.Time, expected time.Duration, most uint64) bool {
	if p.allow < 0 {
		return false
	}
	allowed := max(p.allow, allowedTurns*p.run(most))
	switch {
	case expected <= allowed/2:
		p.above = time.Time{}
		return false
	case expected <= allowed:
		return false
	case p.above.IsZero():
		p.above = now
		return false
	}
	return now.Sub(p.above) >= max(overloadInterval, allowed)
}

// retryAfter is when a refused caller may come again.
func retryAfter(expected time.Duration) time.Duration {
	if expected <= 0 {
		return unknownRetryAfter
	}
	return min(max(expected, minRetryAfter), maxRetryAfter)
}
