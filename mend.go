package ipc

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/ekkojs/ipc/internal/endpoint"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// mending is the work of bringing back what stood at the service when its
// connection was lost: the will, then the subscriptions. It is done by one
// goroutine of the client, until all is back or nobody wants it any more.
type mending struct {
	client  *Client
	backoff endpoint.Backoff
	refused map[any]time.Time // by the last attempt, since when: by absent.key
}

// absent is something that the service does not know any more.
type absent struct {
	key    any
	bring  func(context.Context, *session.Session) error
	refuse func(error) // the service does not want it
}

// roomPatience is how long the service may say that it has no room for what
// comes back. It may have noticed later than the client that the connection
// is lost, and count what stood there.
const roomPatience = time.Minute

// bringTimeout bounds one attempt to bring one thing back.
const bringTimeout = 10 * time.Second

// mendLocked starts the mending unless it goes on. The caller holds c.mu.
func (c *Client) mendLocked() {
	if c.mending {
		return
	}
	c.mending = true
	m := &mending{client: c, refused: map[any]time.Time{}}
	c.workers.Go(m.run)
}

func (m *mending) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-m.client.life.Done():
			return
		}
		if m.attempt() {
			return
		}
		timer.Reset(m.pause())
	}
}

// pause is how long to wait before the next attempt, which nobody's patience
// ends before.
func (m *mending) pause() time.Duration {
	wait := m.backoff.Next()
	for _, since := range m.refused {
		wait = min(wait, max(roomPatience-time.Since(since), 0))
	}
	return wait
}

// attempt tries once to bring back what is absent. It reports whether the
// mending is over.
func (m *mending) attempt() (over bool) {
	before := m.refused
	m.refused = map[any]time.Time{}
	s, err := m.client.endpoint.Acquire(m.client.life)
	if err != nil {
		return m.client.life.Err() != nil
	}
	for {
		a := m.client.absent(m.refused)
		if a == nil {
			return len(m.refused) == 0
		}
		ctx, cancel := context.WithTimeout(m.client.life, bringTimeout)
		err := a.bring(ctx, s)
		cancel()
		switch code := wire.CodeOf(err); {
		case err == nil:
		case code == wire.CodeConnectionLost, code == wire.CodeShuttingDown, code == wire.CodeDeadlineExceeded:
			clear(m.refused)
			return false
		case mayPass(err) && !worn(before, a.key):
			m.refused[a.key] = cmp.Or(before[a.key], time.Now())
		default:
			a.refuse(err)
		}
	}
}

// worn reports whether patience with what has been refused since then is.
func worn(refused map[any]time.Time, key any) bool {
	since, ok := refused[key]
	return ok && time.Since(since) >= roomPatience
}

// mayPass reports whether a refusal is one that a later attempt may not meet.
func mayPass(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Code == wire.CodeQuotaExceeded || e.Details.Retryable)
}

// absent returns what is to be brought back, but for what has been refused;
// nil if that is nothing. If nothing is absent at all the mending is over. The
// will comes first.
func (c *Client) absent(refused map[any]time.Time) *absent {
	c.mu.Lock()
	defer c.mu.Unlock()
	tried := func(key any) bool { _, ok := refused[key]; return ok }
	if c.will.will != nil && c.will.connection == 0 && !tried(c) {
		return &absent{c, c.renewWill, c.willRefused}
	}
	for sub := range c.subscriptions {
		if sub.gone() && !tried(sub) {
			again := func(ctx context.Context, s *session.Session) error { return c.enrol(ctx, s, sub, true) }
			return &absent{sub, again, sub.finish}
		}
	}
	c.mending = len(refused) > 0
	return nil
}
