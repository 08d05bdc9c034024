package ipc

import (
	"context"
	"sync/atomic"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// promises are what a service says of itself that was found by its address
// alone. What a publisher may rely on depends on the channel, so it is asked
// by the first event, and again over a new connection: there may be another
// service by then.
type promises struct {
	said   atomic.Pointer[promise]
	asking chan struct{} // has a token while somebody asks
}

// promise is what was said over one connection.
type promise struct {
	connection uint64
	manifest   *manifest.Manifest // nil: nothing that can be read
}

// promised returns the service's manifest, nil if there is none.
func (c *Client) promised(ctx context.Context) (*manifest.Manifest, error) {
	if m := c.Manifest(); m != nil {
		return m, nil
	}
	if p := c.knownPromise(); p != nil {
		return p.manifest, nil
	}
	select {
	case c.promises.asking <- struct{}{}:
	case <-ctx.Done():
		return nil, gaveUp(ctx.Err())
	}
	defer func() { <-c.promises.asking }()
	if p := c.knownPromise(); p != nil {
		return p.manifest, nil
	}
	if _, err := c.endpoint.Acquire(ctx); err != nil {
		return nil, c.acquireError(ctx, err)
	}
	p := &promise{connection: c.connections.Load()}
	var err error
	if p.manifest, err = c.Describe(ctx); err != nil && comesToNothing(ctx, err) {
		own := *asError(err)
		own.Details.Executed = wire.ExecutedNo // it is about an event, which was not sent
		return nil, &own
	}
	c.promises.said.Store(p)
	return p.manifest, nil
}

// knownPromise is what has been said over the connection there is now.
func (c *Client) knownPromise() *promise {
	if p := c.promises.said.Load(); p != nil && p.connection == c.connections.Load() {
		return p
	}
	return nil
}

// comesToNothing reports whether the error is that nobody has answered. Else
// the service does not describe itself, or not in a way that can be read.
func comesToNothing(ctx context.Context, err error) bool {
	code := wire.CodeOf(err)
	return ctx.Err() != nil || code.Retryable() || code == wire.CodeConnectionLost || code == wire.CodeDeadlineExceeded
}

// keeps reports whether the channel that carries an event promises to keep it,
// and whether Publish waits until it has.
func keeps(m *manifest.Manifest, event string) (kept, awaited bool) {
	ch := m.ChannelOf(event)
	if ch == nil {
		return false, false
	}
	awaited = ch.IsQueue() || ch.Persistent
	return awaited || ch.Retention != nil, awaited
}
