package session

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// watchTick is how often the watchdog looks: a handler that runs for
	// one to two ticks loses the reading to another goroutine.
	watchTick = time.Millisecond

	// watchIdleTicks is how many ticks a reader may stand still before it is
	// looked at no longer.
	watchIdleTicks = 50
)

// Watchdog notices handlers that keep their connection from being read. All
// the sessions of a service share one. Its goroutine runs only while some
// session is busy.
type Watchdog struct {
	mu      sync.Mutex
	readers []*reader
	running bool
	stopped bool
	done    sync.WaitGroup
}

// Stop ends the watchdog's goroutine and waits for it. It is called when the
// sessions have ended.
func (w *Watchdog) Stop() {
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	w.done.Wait()
}

// watch adds r to the readers looked at.
func (w *Watchdog) watch(r *reader) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped || !r.watched.CompareAndSwap(false, true) {
		return
	}
	r.still = 0
	w.readers = append(w.readers, r)
	if !w.running {
		w.running = true
		w.done.Add(1)
		go w.run()
	}
}

func (w *Watchdog) run() {
	defer w.done.Done()
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	for range tick.C {
		if !w.look() {
			return
		}
	}
}

// look goes through the readers once; it reports false when none is left.
func (w *Watchdog) look() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := w.readers[:0]
	for _, r := range w.readers {
		if w.lookAtLocked(r) {
			kept = append(kept, r)
		}
	}
	clear(w.readers[len(kept):])
	w.readers = kept
	w.running = len(kept) > 0 && !w.stopped
	return w.running
}

// lookAtLocked hands r's reading over if its handler is the one that ran at
// the last tick. It reports whether r is to be looked at again.
func (w *Watchdog) lookAtLocked(r *reader) bool {
	state := r.state.Load()
	if state != r.last {
		r.last, r.still = state, 0
		return true
	}
	switch state & stateMask {
	case stateBusy:
		if r.s.mayHandOver() && r.state.CompareAndSwap(state, state&^stateMask|stateLeft) {
			r.s.handOver(r)
			return false
		}
		return true
	case stateHeld:
		return true
	case stateLeft:
		return false
	}
	if r.still++; r.still < watchIdleTicks {
		return true
	}
	// The reader looks at watched after it set its state, and we at its
	// state after we cleared watched: one of the two sees the other.
	r.watched.Store(false)
	if r.state.Load()&stateMask == stateBusy && r.watched.CompareAndSwap(false, true) {
		r.still = 0
		return true
	}
	r.stale.Store(true)
	r.s.conn.InterruptRead()
	return false
}

// The states of a reader: the low bits of its state word. Those above count
// the messages, so that the watchdog tells one handler from the next.
const (
	stateIdle = 0 // in the connection, or between messages
	stateBusy = 1 // in a handler
	stateLeft = 2 // in a handler, its reading handed over
	stateHeld = 3 // in a handler, its reading not to be handed over now
	stateMask = 3
	stateStep = 4
)

// reader is one goroutine's turn at reading a service's connection.
type reader struct {
	s     *Session
	in    Inbound
	at    time.Time // when the bytes were read that are being handled
	batch [][]byte  // messages of the last frame that are still to be handled

	answered int // bytes of answers since the last write; belongs to whoever reads
	state    atomic.Uint64
	watched  atomic.Bool
	stale    atomic.Bool // it has stood still for long: see Session.renewed

	// Guarded by Watchdog.mu.
	last  uint64
	still int
}

// begin says that a handler runs from now on.
func (r *reader) begin() (state uint64) {
	state = r.state.Load() + stateStep | stateBusy
	r.state.Store(state)
	if !r.watched.Load() {
		r.s.opts.Watchdog.watch(r)
	}
	return state
}

// holding calls f while the reading cannot be handed over, unless it has been.
// f must be quick.
func (r *reader) holding(f func()) bool {
	state := r.state.Load()
	if state&stateMask != stateBusy || !r.state.CompareAndSwap(state, state|stateHeld) {
		return false
	}
	f()
	r.state.Store(state)
	return true
}

// end says that the handler has returned; false means that another goroutine
// reads by now.
func (r *reader) end(state uint64) bool {
	return r.state.CompareAndSwap(state, state&^stateMask|stateIdle)
}
