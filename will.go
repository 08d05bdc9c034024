package ipc

import (
	"context"
	"sync"
	"time"

	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// standingWill is what a client has left with its service.
type standingWill struct {
	setting sync.Mutex // one at a time tells the service; taken before Client.mu

	// Guarded by Client.mu.
	will       *will            // nil: none
	connection uint64           // where the service knows it; 0: nowhere
	reads      *session.Session // that is kept read for it
}

// SetWill leaves an event with the service that it publishes when this client
// is gone without Close: killed, crashed or hung. It takes the place of the
// one before; an empty event takes that back. It is renewed whenever the
// connection is opened anew. The errors are those of a publisher:
// CHANNEL_NOT_FOUND, SCHEMA_MISMATCH, PERMISSION_DENIED.
func (c *Client) SetWill(ctx context.Context, event string, data any) error {
	var w *will
	if event != "" {
		if err := wire.CheckName(event); err != nil {
			return err
		}
		text, err := appendJSON(nil, data)
		if err != nil {
			return err
		}
		w = &will{Event: event, Data: text}
	}
	s, err := c.endpoint.Acquire(ctx)
	if err != nil {
		return c.acquireError(ctx, err)
	}
	c.will.setting.Lock()
	defer c.will.setting.Unlock()
	return c.sendWill(ctx, s, w)
}

// sendWill tells the service of a will, and keeps it if the service agrees.
// The caller holds setting.
func (c *Client) sendWill(ctx context.Context, s *session.Session, w *will) error {
	connection := c.connections.Load() // if it is not that of s, then s has ended
	data, err := appendJSON(nil, []*will{w})
	if err != nil {
		return err
	}
	if _, err := s.Call(ctx, &session.Request{Type: wire.TypeRequest, Channel: []byte("ipc.will"), Action: []byte("will"), Data: data}); err != nil {
		return err
	}
	s.KeepReading(true) // or else nobody would notice that it has to be renewed
	c.mu.Lock()
	before := c.will.reads
	c.will.will, c.will.connection, c.will.reads = w, connection, s
	c.mu.Unlock()
	if before != nil {
		before.KeepReading(false)
	}
	c.recheck(s, connection)
	return nil
}

// renewWill sends the will by a new connection.
func (c *Client) renewWill(ctx context.Context, s *session.Session) error {
	c.will.setting.Lock()
	defer c.will.setting.Unlock()
	c.mu.Lock()
	w, known := c.will.will, c.will.connection != 0
	c.mu.Unlock()
	if w == nil || known { // SetWill was quicker
		return nil
	}
	return c.sendWill(ctx, s, w)
}

// willRefused forgets a will that the service does not take any more.
func (c *Client) willRefused(err error) {
	c.mu.Lock()
	c.will.will = nil
	c.mu.Unlock()
	c.opts.OnError(err)
}

// goodbyeTimeout bounds how long Close waits for the service to hear that the
// will is not to be executed.
const goodbyeTimeout = time.Second

// goodbye says that the end of the connection is meant.
func (c *Client) goodbye() {
	c.mu.Lock()
	s, left := c.will.reads, c.will.will != nil && c.will.connection != 0
	c.will.will = nil
	c.mu.Unlock()
	if !left || s.Send(&wire.Message{Type: wire.TypeEvent, Channel: []byte("ipc.goodbye")}) != nil {
		return
	}
	// An answer to what comes after it says that it was read.
	ctx, cancel := context.WithTimeout(c.life, goodbyeTimeout)
	defer cancel()
	s.Call(ctx, &session.Request{Type: wire.TypeRequest, Channel: []byte("ipc.ping"), Action: []byte("ping")})
}

// Who asks the service who is subscribed to what.
func (c *Client) Who(ctx context.Context) ([]Listener, error) {
	return Call[[]Listener](ctx, c, "ipc.who")
}
