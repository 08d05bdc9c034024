package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// A publisher is one end of what events go through.
type publisher interface {
	// publish sends one event to all subscribers. The data is the caller's
	// again when it returns.
	publish(data []byte) error
}

// A flusher is a publisher that keeps events back until it is told not to.
type flusher interface{ flush() error }

const (
	// window is how many events a publisher may be ahead of the slowest
	// subscriber; when it is so far it waits until an eighth of them have been
	// taken: with less it would stop for longer than it publishes. It is half of what our own queues hold, and less than any other
	// peer's do: who keeps up, loses nothing.
	window = 2048

	// eventPatience is a pacer's patience.
	eventPatience = 2 * time.Second

	// shortNap and longNap bound how long a publisher sleeps before it looks
	// again how far the subscribers are.
	shortNap = 50 * time.Microsecond
	longNap  = time.Millisecond

	// lull is the time between two events of a publisher that has little to
	// say.
	lull = time.Millisecond
)

func progressFile(dir string) string { return filepath.Join(dir, "progress") }

// A pacer publishes as fast as the subscribers follow.
type pacer struct {
	to     publisher
	places []place
	tick   tick
	sent   uint64
	known  uint64 // how far the slowest subscriber was when last looked at
	// patience is for how long nobody gets on before what is missing is taken
	// for lost.
	patience time.Duration
	// counted is what earlier runs have published, and what of it came.
	counted heard
}

// heard is what became of the events of a run.
type heard struct {
	Published uint64  `json:"published"`
	Delivered uint64  `json:"delivered"` // to all subscribers together
	Lost      uint64  `json:"lost"`
	Late      uint64  `json:"late"`
	Seconds   float64 `json:"seconds"`
}

// run publishes for a time and waits until everything has been heard or will
// not be.
func (p *pacer) run(d time.Duration) (heard, error) {
	begin := time.Now()
	for p.sent < lastTick-stride {
		for range stride {
			p.tick.next()
			if err := p.to.publish(p.tick); err != nil {
				return heard{}, err
			}
		}
		p.sent += stride
		if p.sent%(4*stride) == 0 && time.Since(begin) > d {
			took, err := p.finish(begin)
			if err != nil {
				return heard{}, err
			}
			return p.count(took)
		}
		if p.sent-p.known >= window {
			if err := p.wait(window * 7 / 8); err != nil {
				return heard{}, err
			}
		}
	}
	return heard{}, errors.New("an event has no number left")
}

// single publishes one event after the other with pauses between.
func (p *pacer) single(d time.Duration) (heard, error) {
	begin, clock := time.Now(), newClock()
	for more := true; more; more = time.Since(begin) < d || p.sent%stride != 0 {
		time.Sleep(lull)
		p.tick.next()
		p.tick.stamp(clock.now())
		if err := p.to.publish(p.tick); err != nil {
			return heard{}, err
		}
		if err := p.flush(); err != nil {
			return heard{}, err
		}
		p.sent++
	}
	p.tick[tickTime-1] = untimed
	took, err := p.finish(begin)
	if err != nil {
		return heard{}, err
	}
	return p.count(took)
}

func (p *pacer) flush() error {
	if f, ok := p.to.(flusher); ok {
		return f.flush()
	}
	return nil
}

func (p *pacer) finish(begin time.Time) (time.Duration, error) {
	err := p.wait(0)
	return time.Since(begin), err
}

// wait returns when nobody is more than far behind. It sleeps for half as long
// as that is likely to take, by how quickly the slowest gets on while nothing
// is published: to look again and again would cost what others need, and who
// sleeps until it is over lets them run dry.
func (p *pacer) wait(far uint64) error {
	if err := p.flush(); err != nil {
		return err
	}
	begin, first := time.Now(), p.slowest()
	moved, nap := begin, shortNap
	for {
		slowest, now := p.slowest(), time.Now()
		if p.sent-slowest <= far {
			p.known = slowest
			return nil
		}
		if slowest != p.known {
			p.known, moved = slowest, now
		} else if now.Sub(moved) > p.patience {
			p.known = p.sent // what is missing is counted later
			return nil
		}
		if slowest > first {
			each := now.Sub(begin) / time.Duration(slowest-first)
			nap = min(max(each*time.Duration(p.sent-slowest-far)/2, shortNap), longNap)
		}
		time.Sleep(nap)
	}
}

func (p *pacer) slowest() uint64 {
	least := p.sent
	for i := range p.places {
		least = min(least, p.places[i].last.Load())
	}
	return least
}

// count says what came of the run that is over.
func (p *pacer) count(took time.Duration) (heard, error) {
	var now heard
	for i := range p.places {
		at := &p.places[i]
		if n := at.wrong.Load(); n > 0 {
			return heard{}, fmt.Errorf("%d events are not what was published", n)
		}
		now.Lost += at.lost.Load() + p.sent - min(at.last.Load(), p.sent)
		now.Late += at.late.Load()
	}
	now.Published = p.sent
	was := p.counted
	p.counted = now
	h := heard{
		Published: now.Published - was.Published, Late: now.Late - was.Late,
		Lost: now.Lost - min(was.Lost, now.Lost), Seconds: took.Seconds(),
	}
	all := h.Published * uint64(len(p.places))
	h.Delivered = all - min(h.Lost, all)
	return h, nil
}
