package main

import (
	"errors"
	"sync/atomic"
	"time"
)

// A place is where a subscriber says how far it is: a cache line in memory
// that it shares with the publisher.
type place struct {
	last  atomic.Uint64 // the highest number heard
	lost  atomic.Uint64 // the numbers below it that did not come in their turn
	late  atomic.Uint64 // those that came out of turn
	wrong atomic.Uint64 // events that are not what was published
	_     [4]uint64
}

// stride is how many events pass between two times that a subscriber says how
// far it is. A publisher stops at its multiples only.
const stride = 16

// An ear is one subscriber: it counts what it hears. Only one goroutine at a
// time may call hear.
type ear struct {
	place  *place
	last   uint64
	like   tick
	clock  clock
	delays recorder
}

// hear takes the data of one event.
func (e *ear) hear(data []byte) {
	if !sameTick(data, e.like) {
		e.place.wrong.Add(1)
		return
	}
	n := tick(data).number()
	if at, ok := tick(data).time(); ok {
		e.delays.add(time.Duration(e.clock.now() - at))
		e.delays.flush()
	}
	if n != e.last+1 {
		if n <= e.last {
			e.place.late.Add(1)
			return
		}
		e.place.lost.Add(n - e.last - 1)
	}
	if n%stride == 0 || n/stride != e.last/stride {
		e.place.last.Store(n)
	}
	e.last = n
}

// ears are all subscribers of one run.
type ears struct{ histogram *histogram }

// open subscribes n times, with a connection each.
func (a *ears) open(p *eventPeer, dir, addr string, n int) error {
	places, err := shareMemory(progressFile(dir), n)
	if err != nil {
		return err
	}
	a.histogram = new(histogram)
	clock := newClock()
	for i := range places {
		e := &ear{place: &places[i], like: newTick(), clock: clock, delays: recorder{to: a.histogram}}
		if err := p.subscribe(dir, addr, e.hear); err != nil {
			return err
		}
	}
	return nil
}

// delays returns what single events took since it was last asked.
func (a *ears) delays() (load, error) {
	h := a.histogram
	if h == nil {
		return load{}, errors.New("nobody has subscribed")
	}
	l := load{Calls: h.total, P50: h.quantile(0.50), P99: h.quantile(0.99), P999: h.quantile(0.999)}
	h.reset()
	return l, nil
}
