package ipc

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// The bounds of what a service remembers of requests with an idempotency key.
const (
	// DefaultDedupeWindow is ServiceOptions.DedupeWindow when it is zero.
	DefaultDedupeWindow = 2 * time.Minute

	// MaxDedupeOutcomes and MaxDedupeBytes are how many outcomes are kept at
	// the same time, and how much memory they may take. The oldest are
	// forgotten first.
	MaxDedupeOutcomes = 10_000
	MaxDedupeBytes    = 16 << 20

	// MaxIdempotencyKey is the length of the longest key, in bytes.
	MaxIdempotencyKey = 128

	// MaxDuplicates is how many requests may wait for the outcome of one.
	MaxDuplicates = 64
)

// dedupe remembers what became of requests with an idempotency key.
type dedupe struct {
	window time.Duration // negative: outcomes are not kept
	held   *storage      // for those that wait

	mu    sync.Mutex // guards all below and the executions; taken before the locks of a session
	known map[onceKey]*execution
	// Those that are done, in the order in which they were, and thus in that
	// in which they are to be forgotten.
	oldest, newest *execution
	done, bytes    int
}

// onceKey names an execution: a key means nothing to other users. All callers
// that no kernel vouches for are one user here.
type onceKey struct {
	caller      uint64 // the uid and one bit, 0 for the unknown
	sid         string // where users have one
	certificate string // the principal of a caller known by that
	key         string
}

// execution is one call under a key, however often it was sent.
type execution struct {
	of    *dedupe
	key   onceKey
	print [sha256.Size]byte // of method and arguments

	// All below is guarded by dedupe.mu, but what came of it does not change
	// once done is true.
	done bool
	data []byte
	err  *Error
	at   time.Time
	next *execution // the next one that was done

	// While it runs: the requests that wait for it, in order.
	queued  tickets
	waiting int
}

func onceKeyOf(c Caller, key []byte) onceKey {
	k := onceKey{sid: c.SID, key: string(key)}
	switch {
	case c.Known:
		k.caller = uint64(c.UID) + 1
	case c.Certificate != nil:
		k.certificate = c.Certificate.Principal()
	}
	return k
}

// fingerprint tells calls apart that must not share a key.
func fingerprint(method string, data []byte) (print [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(method))
	h.Write([]byte{0})
	h.Write(data)
	h.Sum(print[:0])
	return print
}

// badKey returns what is wrong with the key of t.
func badKey(t *ticket) *Error {
	var e *Error
	switch key := t.in.Meta.IdempotencyKey; {
	case !t.decl.Idempotent:
		e = wire.Errorf(wire.CodeInvalidArgument, "%s is not declared idempotent: it takes no idempotencyKey", t.Method)
	case t.in.Streaming():
		e = wire.Errorf(wire.CodeInvalidArgument, "%s streams, and a stream cannot be repeated: it takes no idempotencyKey", t.Method)
	case len(key) == 0 || len(key) > MaxIdempotencyKey:
		e = wire.Errorf(wire.CodeInvalidArgument, "an idempotencyKey has 1 to %d bytes, not %d", MaxIdempotencyKey, len(key))
	default:
		return nil
	}
	e.Details.Path = "/metadata/idempotencyKey"
	return e
}

// first reports whether t is to be executed: it is the first of its key. Else
// it has been answered, or waits for the outcome of the first.
func (d *dedupe) first(t *ticket) bool {
	if err := badKey(t); err != nil {
		t.refuse(err)
		return false
	}
	key, print := onceKeyOf(t.Caller, t.in.Meta.IdempotencyKey), fingerprint(t.Method, t.Data)
	for {
		e, found, err := d.look(t, key, print)
		switch found {
		case foundNothing:
			return true
		case foundOther:
			t.refuse(err)
			return false
		case foundOutcome:
			t.repeat(e)
			return false
		case foundRunning:
			if !t.aside() {
				return false
			}
		case foundPlace:
			t.check()
			return false
		}
	}
}

// found is what there is under a key.
type found uint8

const (
	foundNothing found = iota // an execution has begun, ticket.once
	foundOther                // the call may not have it
	foundOutcome
	foundRunning // an execution; to wait for it, the ticket must come aside first
	foundPlace   // likewise, and the ticket waits by now: nothing of it may be touched
)

// look finds out what there is under the key of t.
func (d *dedupe) look(t *ticket, key onceKey, print [sha256.Size]byte) (*execution, found, *Error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgetLocked(time.Now())
	e := d.known[key]
	switch {
	case e == nil:
		e = &execution{of: d, key: key, print: print}
		if d.known == nil {
			d.known = map[onceKey]*execution{}
		}
		d.known[key] = e
		t.once = e
		return e, foundNothing, nil
	case e.print != print:
		return nil, foundOther, wire.Errorf(wire.CodeConflict, "this idempotencyKey belongs to a call of another method or with other arguments")
	case e.done:
		return e, foundOutcome, nil
	case e.waiting >= MaxDuplicates || !d.held.fits(t.size()):
		err := wire.Errorf(wire.CodeQueueFull, "%d requests wait for the outcome of this idempotencyKey already", e.waiting)
		err.Details.RetryAfter = unknownRetryAfter
		err.Details.More = map[string]any{"depth": e.waiting, "limit": MaxDuplicates}
		return nil, foundOther, err
	case !t.own:
		return e, foundRunning, nil
	}
	e.addLocked(t)
	return e, foundPlace, nil
}

func (e *execution) addLocked(t *ticket) {
	e.queued.add(t)
	e.waiting++
	e.of.held.take(t.size())
	t.place = e
	t.turn.Store(turnWaiting)
}

// remove implements place.
func (e *execution) remove(t *ticket) {
	e.of.mu.Lock()
	defer e.of.mu.Unlock()
	if t.listed {
		e.takeOutLocked(t)
	}
}

func (e *execution) takeOutLocked(t *ticket) {
	e.queued.remove(t)
	e.waiting--
	e.of.held.give(t.size())
}

// claimLocked takes the one out that has waited longest; nil if none waits.
func (e *execution) claimLocked() *ticket {
	for e.queued.first != nil {
		t := e.queued.first
		e.takeOutLocked(t)
		if t.claim() {
			return t
		}
	}
	return nil
}

// settle says what came of the execution. An outcome, which is a result or a
// failure of work that was done, is kept and given to all who wait. Anything
// else is none, and whoever has waited longest is executed instead.
func (e *execution) settle(data []byte, err *Error) {
	if err != nil && err.Details.Executed != wire.ExecutedYes {
		if t := e.passOn(); t != nil {
			t.once = e
			if t.Err() != nil {
				t.refuse(t.outOfTime())
				return
			}
			t.proceed()
		}
		return
	}
	for _, t := range e.keep(append([]byte(nil), data...), err) {
		t.repeat(e)
	}
}

// passOn returns the one to execute next, or forgets the key if there is none.
func (e *execution) passOn() *ticket {
	d := e.of
	d.mu.Lock()
	defer d.mu.Unlock()
	t := e.claimLocked()
	if t == nil {
		delete(d.known, e.key)
	}
	return t
}

// keep stores the outcome and returns those who wait for it.
func (e *execution) keep(data []byte, err *Error) (waited []*ticket) {
	d := e.of
	d.mu.Lock()
	defer d.mu.Unlock()
	e.done, e.data, e.err, e.at = true, data, err, time.Now()
	for t := e.claimLocked(); t != nil; t = e.claimLocked() {
		waited = append(waited, t)
	}
	if d.newest != nil {
		d.newest.next = e
	} else {
		d.oldest = e
	}
	d.newest = e
	d.done++
	d.bytes += e.size()
	d.forgetLocked(e.at)
	return waited
}

// forgetLocked forgets what is too old, and the oldest of what is too much.
func (d *dedupe) forgetLocked(now time.Time) {
	for e := d.oldest; e != nil; e = d.oldest {
		if now.Sub(e.at) < d.window && d.done <= MaxDedupeOutcomes && d.bytes <= MaxDedupeBytes {
			return
		}
		if d.oldest = e.next; d.oldest == nil {
			d.newest = nil
		}
		d.done--
		d.bytes -= e.size()
		delete(d.known, e.key)
	}
}

// executionSize is about what an outcome takes besides its texts.
const executionSize = 512

func (e *execution) size() int {
	n := executionSize + len(e.key.key) + len(e.data)
	if e.err != nil {
		n += len(e.err.Message) + executionSize
	}
	return n
}

// repeat answers t with the outcome of another request with its key.
func (t *ticket) repeat(e *execution) {
	if e.err != nil {
		t.refuse(e.err)
		return
	}
	t.in.Reply(e.data)
	t.leaveUndone()
}
