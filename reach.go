package ipc

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/ekkojs/ipc/internal/registry"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// Way is one way to a service: by the transport of its manifest, or by one of
// the fallbacks.
type Way = registry.Way

// wayTimeout bounds the trying of a way if there are others, and its manifest
// does not say how long that may take.
const wayTimeout = 5 * time.Second

// offerTimeout bounds the trying of an offer. A service that stands still, or
// has no descriptors left, hands out no memory, while its socket takes clients
// that wait.
const offerTimeout = time.Second

// reach connects to the service by the first way that works. What makes a way
// unsafe ends the trying: another one would hide it.
func (c *Client) reach(ctx context.Context, r *Resolution) (transport.Conn, error) {
	var first error
	var tried []map[string]any // for people
	ways := registry.Open(r.Ways)
	for _, way := range ways {
		conn, err := c.try(ctx, way, r.Manifest, len(ways) > 1)
		if err == nil {
			c.mu.Lock()
			c.address = way.Address
			c.mu.Unlock()
			return conn, nil
		}
		if way.Offer && ctx.Err() == nil && wire.CodeOf(err) != wire.CodeUntrustedPeer {
			continue
		}
		if first == nil {
			first = err
		}
		switch wire.CodeOf(err) {
		case wire.CodeServiceUnavailable, wire.CodeTransportUnsupported:
		default:
			return nil, err
		}
		tried = append(tried, map[string]any{"address": way.Address, "error": err.Error()})
	}
	if e, ok := errors.AsType[*Error](first); ok && len(tried) > 1 {
		if e.Details.More == nil {
			e.Details.More = map[string]any{}
		}
		e.Details.More["tried"] = tried
	}
	return nil, first
}

// try connects by one way.
func (c *Client) try(ctx context.Context, way Way, m *manifest.Manifest, others bool) (transport.Conn, error) {
	var limit time.Duration
	if way.Transport != nil {
		limit = way.Transport.Timeout
	}
	if limit == 0 && others {
		limit = wayTimeout
	}
	if way.Offer {
		limit = min(limit, offerTimeout)
	}
	within := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	conn, err := transport.Dial(within, way.Address, c.transportOptions(m, way.Address))
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, gaveUp(ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded) && past(ctx): // the socket noticed first
		return nil, gaveUp(context.DeadlineExceeded)
	}
	return nil, dialError(c.name(), way.Address, err)
}

// past reports whether the deadline of ctx has passed, though ctx may not have
// noticed yet.
func past(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && !time.Now().Before(end)
}
