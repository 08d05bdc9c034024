package ipc

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc/internal/endpoint"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// DefaultMaxRetries is ClientOptions.MaxRetries when it is zero.
const DefaultMaxRetries = 2

// The retry budget of a client, so that failures do not multiply the load of
// a service that is in trouble already: every call earns a tenth of a retry,
// up to a thousand retries; and whoever calls rarely has ten to begin with,
// of which one comes back each second.
const (
	retriesPerCall   = 0.1
	maxSavedRetries  = 1000
	freeRetries      = 10
	freeRetriesAgain = 1 // per second
)

// WithIdempotencyKey returns a context for one call that may be sent more
// than once and is still carried out once, as long as the service remembers
// (ServiceOptions.DedupeWindow): the service knows the repetitions
// by the key, which is text of 1 to 128 bytes, and answers them with the
// outcome of the first. The method must be declared idempotent in the
// service's manifest, else the call fails with INVALID_ARGUMENT; a key that
// was used for another call of the same user fails with CONFLICT.
//
// Calls of methods that the client knows to be idempotent, from the manifest
// that it found the service by, have a key of their own without this. It is
// for keys that outlive the process, such as an order's number, and for
// clients that were given an address.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	keysInUse.Store(true)
	return context.WithValue(ctx, idempotencyKey{}, key)
}

// idempotencyKey finds the key in a context. Programs that never use one do
// not look: a search through a deep context costs more than all else here.
type idempotencyKey struct{}

var keysInUse atomic.Bool

func keyIn(ctx context.Context) (key string, given bool) {
	if !keysInUse.Load() {
		return "", false
	}
	key, given = ctx.Value(idempotencyKey{}).(string)
	return key, given
}

// attempts is one call, however often it is sent.
type attempts struct {
	req        session.Request
	idempotent bool // may be sent again when nobody knows whether it ran
	maybe      bool // an attempt before may have been executed
	began      time.Time
	total      time.Duration // from then on; 0: the default, negative: for ever
}

// send is the innermost handler of a client. The arguments are text, or data.
func (c *Client) send(ctx context.Context, method string, data Raw, text *session.Text) (Raw, error) {
	r, err := c.routeOf(method)
	if err != nil {
		return nil, err
	}
	if len(data) >= session.LongText {
		text = session.NewText(len(data)) // so that the copying is not done under the session's lock
		defer text.Release()
		text.Set(func(dst []byte) ([]byte, error) { return append(dst, data...), nil })
	}
	a := attempts{
		req:        session.Request{Type: wire.TypeRequest, Channel: r.channel, Action: r.action, Data: data, Text: text, Timeout: r.timeout},
		idempotent: r.idempotent,
		total:      r.timeout,
	}
	if key, given := keyIn(ctx); given {
		if key == "" || len(key) > MaxIdempotencyKey {
			return nil, unsent(wire.Errorf(wire.CodeInvalidArgument, "an idempotency key has 1 to %d bytes, not %d", MaxIdempotencyKey, len(key)))
		}
		a.req.Meta.IdempotencyKey, a.idempotent = []byte(key), true
	} else if r.idempotent && c.opts.MaxRetries > 0 {
		a.req.Meta.IdempotencyKey = wire.AppendUUID(nil, rand.Uint64(), rand.Uint64())
	}
	return c.attempt(ctx, &a)
}

// attempt makes the call, as often as it takes and is allowed.
func (c *Client) attempt(ctx context.Context, a *attempts) (Raw, error) {
	c.retries.calls.Add(1)
	a.began = time.Now()
	a.req.Now = a.began
	result, err := c.exchange(ctx, &a.req)
	if err != nil && c.opts.MaxRetries > 0 {
		return c.retry(ctx, a, err)
	}
	return result, err
}

// retry goes on with a call whose first attempt failed with err.
func (c *Client) retry(ctx context.Context, a *attempts, err error) (Raw, error) {
	for n := range c.opts.MaxRetries {
		wait, again := c.pause(a, err, n)
		if !again || wait >= c.left(ctx, a) || !c.retries.take() {
			break
		}
		if stopped := c.sleep(ctx, wait); stopped != nil {
			err = stopped
			break
		}
		if ctx.Err() == nil && a.total >= 0 {
			a.req.Timeout = max(c.left(ctx, a), 1)
		}
		a.req.Meta.TimeoutMS, a.req.Now = 0, time.Time{}
		var result Raw
		if result, err = c.exchange(ctx, &a.req); err == nil {
			return result, nil
		}
	}
	return nil, a.failed(err)
}

// pause returns how long to wait after the nth attempt failed with err, and
// whether there is to be another one.
func (c *Client) pause(a *attempts, err error, n int) (wait time.Duration, again bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || c.life.Err() != nil {
		return 0, false
	}
	switch {
	case e.Code == wire.CodeDeadlineExceeded || e.Code == wire.CodeCancelled:
		return 0, false // no time is left, or nobody wants it any more
	case e.Details.Executed == wire.ExecutedNo && e.Details.Retryable:
	case a.idempotent && (e.Code == wire.CodeConnectionLost || e.Code == wire.CodeServiceDied):
		a.maybe = a.maybe || e.Details.Executed != wire.ExecutedNo
	default:
		return 0, false
	}
	// Full jitter over a bound that doubles, but not sooner than asked for.
	bound := max(e.Details.RetryAfter, endpoint.FirstRetry)
	if e.Details.RetryAfter > 0 {
		bound = max(e.Details.RetryAfter, time.Millisecond)
	}
	bound = min(bound, endpoint.MaxRetry) << min(n, 16)
	return e.Details.RetryAfter + rand.N(bound), true
}

// left returns how much of the call's time is left.
func (c *Client) left(ctx context.Context, a *attempts) time.Duration {
	left := time.Duration(math.MaxInt64)
	switch {
	case a.total == 0:
		left = session.DefaultTimeout - time.Since(a.began)
	case a.total > 0:
		left = a.total - time.Since(a.began)
	}
	if at, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(at))
	}
	return left
}

// sleep waits, or returns why the call is to end.
func (c *Client) sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return gaveUp(ctx.Err())
	case <-c.life.Done():
		return c.acquireError(ctx, ErrClosed)
	}
}

// failed returns the error of the call, given that of its last attempt: that
// one was not executed does not mean that none was.
func (a *attempts) failed(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || !a.maybe || e.Details.Executed != wire.ExecutedNo {
		return err
	}
	careful := *e
	careful.Details.Executed, careful.Details.Retryable = wire.ExecutedMaybe, false
	return &careful
}

// retryBudget is how many retries a client may still send.
type retryBudget struct {
	calls atomic.Int64 // ever begun

	mu    sync.Mutex // guards all below
	saved float64
	seen  int64     // calls accounted for in saved
	at    time.Time // when that was; zero: never
}

// take reports whether there may be one more.
func (b *retryBudget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, calls := time.Now(), b.calls.Load()
	if b.at.IsZero() {
		b.saved = freeRetries
	} else if b.saved < freeRetries {
		b.saved = min(freeRetries, b.saved+freeRetriesAgain*now.Sub(b.at).Seconds())
	}
	b.saved = min(maxSavedRetries, b.saved+retriesPerCall*float64(calls-b.seen))
	b.seen, b.at = calls, now
	if b.saved < 1 {
		return false
	}
	b.saved--
	return true
}
