// Package endpoint answers one question: a live session for this name,
// please. Reconnection is its business; pool, balance and breaker belong here
// too.
package endpoint

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc/internal/session"
)

// The waits between attempts to reconnect: full jitter over a bound that
// doubles.
const (
	FirstRetry = 100 * time.Millisecond
	MaxRetry   = 30 * time.Second
)

// Dial opens a session. It is never called twice at the same time, and what
// it opens belongs to the endpoint.
type Dial func(ctx context.Context) (*session.Session, error)

// Endpoint holds the session to one service and opens a new one when it is
// needed. Its methods may be called at any time from any goroutine.
type Endpoint struct {
	dial    Dial
	current atomic.Pointer[session.Session]

	mu      sync.Mutex
	dialing chan struct{} // closed when the dial under way is through; nil: none
	closed  bool
}

// New returns an endpoint that has no session yet.
func New(dial Dial) *Endpoint { return &Endpoint{dial: dial} }

// Acquire returns a live session, without waiting when there is one. Callers
// that come while one is being opened wait for that one.
func (e *Endpoint) Acquire(ctx context.Context) (*session.Session, error) {
	if s := e.live(); s != nil {
		return s, nil
	}
	e.mu.Lock()
	for {
		if e.closed {
			e.mu.Unlock()
			return nil, net.ErrClosed
		}
		if s := e.live(); s != nil {
			e.mu.Unlock()
			return s, nil
		}
		var wait <-chan struct{} = e.dialing
		if e.dialing == nil {
			last := e.current.Load()
			if last == nil || ended(last) {
				return e.openLocked(ctx)
			}
			wait = last.Done() // it takes no more, but its last answers are being read
		}
		e.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		e.mu.Lock()
	}
}

// openLocked dials and gives the lock up.
func (e *Endpoint) openLocked(ctx context.Context) (*session.Session, error) {
	done := make(chan struct{})
	e.dialing = done
	e.mu.Unlock()

	s, err := e.dial(ctx)

	e.mu.Lock()
	e.dialing = nil
	if err == nil {
		if e.closed {
			err = net.ErrClosed
		} else {
			e.current.Store(s)
		}
	}
	e.mu.Unlock()
	close(done)
	if err != nil && s != nil {
		s.Close()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// live returns the current session unless it takes no more messages.
func (e *Endpoint) live() *session.Session {
	if s := e.current.Load(); s != nil && !s.Broken() {
		return s
	}
	return nil
}

func ended(s *session.Session) bool {
	select {
	case <-s.Done():
		return true
	default:
		return false
	}
}

// Close ends the session, if any; Acquire fails from now on.
func (e *Endpoint) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	if s := e.current.Load(); s != nil {
		return s.Close()
	}
	return nil
}

// Backoff counts the attempts to reconnect.
type Backoff struct{ bound time.Duration }

// Next returns how long to wait before the next attempt.
func (b *Backoff) Next() time.Duration {
	if b.bound == 0 {
		b.bound = FirstRetry
	}
	wait := rand.N(b.bound)
	b.bound = min(2*b.bound, MaxRetry)
	return wait
}
