package hub

import "sync/atomic"

// EventCost is what the smallest event takes of a window.
const EventCost = 256

// maxWindow bounds what grants add up to.
const maxWindow = 1 << 40

// pace is how much more a receiver has room for. Past events and new ones
// take of it alike, so that neither pushes out the other there.
type pace struct {
	limited bool // what is left counts
	left    atomic.Int64
	// share is what new events leave to past ones as long as there are any:
	// a stream on which much is published must not keep another one in the
	// past for ever.
	share int64
}

func (p *pace) init(window int) {
	p.limited = window > 0
	p.left.Store(int64(window))
	p.share = int64(window / 8)
}

// spent reports whether the receiver has no room for past events now.
func (p *pace) spent() bool { return p.limited && p.left.Load() <= 0 }

// spend takes the room for a past event, if there is any: the last one may be
// longer.
func (p *pace) spend(data int) bool { return p.spendAbove(0, data) }

// spentLive and spendLive are the same of new events. catching: there are past
// ones as well.
func (p *pace) spentLive(catching bool) bool { return p.limited && p.left.Load() <= p.floor(catching) }

func (p *pace) spendLive(catching bool, data int) bool { return p.spendAbove(p.floor(catching), data) }

func (p *pace) floor(catching bool) int64 {
	if catching {
		return p.share
	}
	return 0
}

func (p *pace) spendAbove(floor int64, data int) bool {
	if !p.limited {
		return true
	}
	cost := int64(max(data, EventCost))
	for {
		left := p.left.Load()
		if left <= floor {
			return false
		}
		if p.left.CompareAndSwap(left, left-cost) {
			return true
		}
	}
}

// grant adds what has been read, and reports whether somebody may have waited
// for that.
func (p *pace) grant(n int64) (waited bool) {
	if !p.limited || n <= 0 {
		return false
	}
	n = min(n, maxWindow)
	now := p.left.Add(n)
	if now > maxWindow {
		p.left.Store(maxWindow)
	}
	return now-n <= p.share
}
