package ipc

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// ticket is a request that may have to wait before its handler runs: for a
// slot of a limit, or for the outcome of another request with the same
// idempotency key. Requests that need neither have none.
//
// A ticket that waits belongs to nobody; whoever claims it goes on with it
// alone: the one who has a slot or an outcome for it, or giveUp.
type ticket struct {
	call
	peer    *peer
	method  *method
	in      *session.Inbound
	own     bool        // in is a copy that has left the reading goroutine
	started bool        // call.Context is in use
	passed  int         // how many of its limits have given it a slot
	starts  bool        // likewise Service.starts, until it begins
	once    *execution  // what its outcome belongs to; nil without a key
	forget  func() bool // ends the watch for its context's end; nil: none

	turn  atomic.Uint32 // turnWaiting, else somebody has claimed it
	place place         // where it waits; set before turn is turnWaiting

	// Guarded by the lock of place.
	before, after *ticket
	listed        bool
	since         time.Time // when it came
}

const (
	turnTaken uint32 = iota
	turnWaiting
)

// place is where a ticket waits.
type place interface {
	// remove takes out a ticket that somebody has claimed, if it is there.
	remove(*ticket)
}

// tickets is a list of those that wait, in order.
type tickets struct{ first, last *ticket }

// add puts t at the end.
func (l *tickets) add(t *ticket) {
	t.before, t.after, t.listed = l.last, nil, true
	if l.last != nil {
		l.last.after = t
	} else {
		l.first = t
	}
	l.last = t
}

// remove takes t out, which is in the list.
func (l *tickets) remove(t *ticket) {
	if t.before != nil {
		t.before.after = t.after
	} else {
		l.first = t.after
	}
	if t.after != nil {
		t.after.before = t.before
	} else {
		l.last = t.before
	}
	t.before, t.after, t.listed = nil, nil, false
}

// numLimits are the limits on the way of a request: its method's, then the
// service's. They are always taken in this order.
const numLimits = 2

// limit returns the nth of them, nil where there is none.
func (t *ticket) limit(n int) *limit {
	if n == 0 {
		return t.method.limit
	}
	return t.peer.service.limit
}

// admit carries out a request that the quick way is not for: its method has a
// limit or a time limit, it has an idempotency key, or the service has no
// slot free.
func (p *peer) admit(in *session.Inbound, m *method) {
	if m.decl != nil && m.decl.Timeout > 0 {
		in.Allow(m.decl.Timeout)
	}
	t := p.ticket(in, m)
	if in.Meta.IdempotencyKey == nil || p.service.dedupe.first(t) {
		t.proceed()
	}
}

func (p *peer) ticket(in *session.Inbound, m *method) *ticket {
	t := &ticket{peer: p, method: m, in: in}
	t.Request = Request{Method: m.name, Data: Raw(in.Data), Caller: p.caller, decl: m.decl, from: in.Session()}
	t.way = &t.came
	return t
}

// proceed takes what slots t still needs and begins; where none is free it
// leaves t in the queue.
func (t *ticket) proceed() {
	for t.passed < numLimits {
		l := t.limit(t.passed)
		if l != nil && !l.enter() && !t.await(l) {
			return
		}
		t.passed++
	}
	if starts := t.peer.service.starts; !t.starts && t.needsGoroutine() {
		if !starts.enter() && !t.await(starts) {
			return
		}
		t.starts = true
	}
	t.begin()
}

// needsGoroutine reports whether t cannot, or had better not, run on the
// goroutine that reads.
func (t *ticket) needsGoroutine() bool { return t.own || t.method.slow.Load() > 0 }

// await puts t into the queue of l. It reports true if t has got a slot after
// all; else t has been refused, or belongs to the queue by now.
func (t *ticket) await(l *limit) bool {
	if !t.own {
		if err := l.refusal(t.in.Left(), t.size()); err != nil {
			t.refuse(err)
			return false
		}
		if !t.aside() {
			return false
		}
	}
	entered, refused := l.push(t)
	switch {
	case refused != nil:
		t.refuse(refused)
	case !entered:
		t.check()
	}
	return entered
}

// aside takes t off the reading goroutine and sees to it that giveUp is
// called when its time is up or its caller gone. It reports false if the
// connection has too many requests, which has been answered then.
func (t *ticket) aside() bool {
	own := t.in.Aside()
	if own == nil {
		t.peer.service.counts.failures.Add(1)
		t.end()
		return false
	}
	t.in, t.own, t.started = own, true, true
	t.Data, t.stream = Raw(own.Data), own.Stream()
	own.Start(&t.Context)
	t.forget = t.AfterFunc(t.giveUp)
	return true
}

// check gives t up if its context ended just before it came to its place.
func (t *ticket) check() {
	if t.Err() != nil {
		t.giveUp()
	}
}

// claim reports whether the caller is the one to go on with t.
func (t *ticket) claim() bool { return t.turn.CompareAndSwap(turnWaiting, turnTaken) }

// giveUp answers a ticket that still waits when its context has ended.
func (t *ticket) giveUp() {
	if !t.claim() {
		return
	}
	t.place.remove(t)
	t.refuse(t.outOfTime())
}

// granted goes on with a claimed ticket that has got a slot of its next
// limit. It reports false if t has no use for the slot.
func (t *ticket) granted() bool {
	if t.Err() != nil {
		t.refuse(t.outOfTime())
		return false
	}
	if t.place == place(t.peer.service.starts) {
		t.starts = true
	} else {
		t.passed++
	}
	t.proceed()
	return true
}

// outOfTime is the answer to a ticket that waited until its context ended.
func (t *ticket) outOfTime() *Error {
	cause := t.Err()
	e := wire.Errorf(wire.CodeCancelled, "the caller gave up before the request began")
	if errors.Is(cause, context.DeadlineExceeded) {
		e = tooLate()
	}
	e.Details.Executed = wire.ExecutedNo
	e.Details.More = map[string]any{"stage": "queued"}
	if _, joined := t.place.(*execution); joined { // another one of the same key runs
		e.Message += "; one with the same idempotencyKey has begun"
		e.Details.Executed, e.Details.Retryable = wire.ExecutedMaybe, false
		e.Details.More = map[string]any{"stage": "dispatched"}
	}
	return e
}

// tooLate is the answer to a request that was not begun because nobody would
// wait for the end of it.
func tooLate() *Error {
	e := wire.Errorf(wire.CodeDeadlineExceeded, "the deadline passed before the request began")
	e.Details.Executed, e.Details.Retryable = wire.ExecutedNo, true
	e.Details.More = map[string]any{"stage": "queued"}
	return e
}

// refuse answers a ticket that is not executed.
func (t *ticket) refuse(err *Error) {
	t.peer.service.fail(t.in, err)
	t.leaveUndone()
}

// leaveUndone ends a ticket whose handler has not run.
func (t *ticket) leaveUndone() {
	own := t.own
	t.end()
	if own {
		t.in.Drop()
	}
}

// begin runs the handler: where the reading goroutine is still with it there,
// else on a goroutine of its own.
func (t *ticket) begin() {
	switch {
	case t.own:
		t.forget()
		if !t.in.Resume(func(*session.Inbound) { t.run(true) }) {
			t.end() // the connection has ended
		}
	case t.starts || t.in.Streaming():
		if !t.in.Go(func(own *session.Inbound) {
			t.in, t.Data, t.stream = own, Raw(own.Data), own.Stream()
			t.run(true)
		}) {
			t.end()
		}
	default:
		t.run(false)
	}
}

// run is peer.run for a ticket.
func (t *ticket) run(aside bool) {
	p, m := t.peer, t.method
	s := p.service
	if t.starts {
		t.starts = false
		s.starts.begun(t.own)
	}
	s.counts.requests.Add(1)
	if !t.started {
		t.started = true
		t.in.Start(&t.Context)
	}
	began := time.Now()
	err := s.check(t.in, m, &t.call)
	var text *session.Text
	var data []byte
	if err == nil {
		result, panicked, failure := invoke(m.handler, &t.call, s.logger)
		if panicked {
			s.counts.panics.Add(1)
		}
		if text, err = p.encode(m, &t.call, result, failure); err == nil {
			defer text.Release()
			data = text.JSON()
		}
	}
	if err != nil {
		s.fail(t.in, err)
	} else {
		t.in.ReplyText(text)
	}
	if t.once != nil {
		t.once.settle(data, err)
		t.once = nil
	}
	t.end()
	m.learn(t.in, aside, time.Since(began))
}

// end gives back what t holds.
func (t *ticket) end() {
	if t.once != nil {
		t.once.settle(nil, errUndone)
		t.once = nil
	}
	if t.starts {
		t.starts = false
		t.peer.service.starts.leave()
	}
	for ; t.passed > 0; t.passed-- {
		if l := t.limit(t.passed - 1); l != nil {
			l.leave()
		}
	}
	if t.started {
		if t.forget != nil {
			t.forget()
		}
		t.End()
	}
}

// errUndone is the outcome of a request that was not executed, for those who
// wait for it.
var errUndone = &Error{Code: wire.CodeCancelled, Details: Details{Executed: wire.ExecutedNo}}

// ticketSize is about what a ticket takes besides the text of its request.
const ticketSize = 1 << 10

func (t *ticket) size() int { return ticketSize + len(t.Data) }
