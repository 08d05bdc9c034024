package ipc

import (
	"context"
	"time"

	"github.com/ekkojs/ipc/internal/endpoint"
	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// listener is the side of a Client that one of its sessions talks to.
type listener struct {
	client     *Client
	connection uint64 // counts the sessions of the client
}

// Event implements session.Handler.
func (l *listener) Event(in *session.Inbound) {
	c := l.client
	if in.Meta.Gap != nil {
		return // it shows in the numbers of the next event
	}
	name := string(wire.EventName(in.Channel))
	var event *Event // shared by the subscriptions that want it, but for Gap
	c.mu.Lock()
	defer c.mu.Unlock()
	for sub := range c.subscriptions {
		if !sub.pattern.Match(name) {
			continue
		}
		if event == nil {
			event = eventOf(&in.Message, &in.Meta)
			event.connection = l.connection
			sub.offer(event)
			continue
		}
		copied := *event
		copied.Gap = nil
		sub.offer(&copied)
	}
}

// Stray implements session.Handler.
func (l *listener) Stray(id []byte, err *Error) {
	l.client.opts.OnError(err)
}

// Subscribe asks for the events that match pattern, in which "*" stands for
// one token and a last "**" for all the rest: "user.*", "**". It returns when
// the service has agreed; what is published from then on arrives. When the
// connection is lost it is opened anew, and the first event after that has a
// Gap if something was missed.
func (c *Client) Subscribe(ctx context.Context, pattern string, opts *SubscribeOptions) (*Subscription, error) {
	sub, err := newSubscription(pattern, opts, c.unsubscribe)
	if err != nil {
		return nil, err
	}
	s, err := c.endpoint.Acquire(ctx)
	if err != nil {
		return nil, c.acquireError(ctx, err)
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, c.acquireError(ctx, ErrClosed)
	}
	c.subscriptions[sub] = struct{}{}
	c.mu.Unlock()
	if err := c.enrol(ctx, s, sub); err != nil {
		c.drop(sub)
		return nil, err
	}
	return sub, nil
}

// enrol subscribes at the service and keeps the session read.
func (c *Client) enrol(ctx context.Context, s *session.Session, sub *Subscription) error {
	data, err := s.Call(ctx, &session.Request{Type: wire.TypeSubscribe, Channel: []byte(wire.EventChannel(sub.name))})
	if err != nil {
		return err
	}
	type place struct {
		Epoch string `json:"epoch"`
		Seq   uint64 `json:"seq"`
	}
	var answer struct {
		Subscription string           `json:"subscription"`
		From         place            `json:"from"`
		Channels     map[string]place `json:"channels"`
	}
	if err := Raw(data).Decode(&answer); err != nil {
		return err
	}
	s.KeepReading(true)
	connection := c.connections.Load()
	if sub.pattern.IsLiteral() {
		sub.startAt(sub.name, cursor{answer.From.Epoch, answer.From.Seq, connection})
	}
	for name, at := range answer.Channels {
		sub.startAt(name, cursor{at.Epoch, at.Seq, connection})
	}
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.id = answer.Subscription
	return nil
}

func (c *Client) drop(sub *Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.subscriptions, sub)
}

// unsubscribeTimeout bounds how long Subscription.Close waits for the service.
const unsubscribeTimeout = 5 * time.Second

// unsubscribe tells the service that nobody listens any more.
func (c *Client) unsubscribe(sub *Subscription) {
	c.drop(sub)
	sub.mu.Lock()
	id := sub.id
	sub.id = ""
	sub.mu.Unlock()
	if id == "" || c.life.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.life, unsubscribeTimeout)
	defer cancel()
	s, err := c.endpoint.Acquire(ctx)
	if err != nil {
		return // with the connection the subscription is gone too
	}
	data, _ := appendJSON(nil, map[string]any{"subscription": id})
	s.Call(ctx, &session.Request{Type: wire.TypeUnsubscribe, Channel: []byte(wire.EventChannel(sub.name)), Data: data})
	s.KeepReading(false)
}

// lost is called when a session has ended. Subscriptions are brought back.
func (c *Client) lost(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for sub := range c.subscriptions {
		sub.mu.Lock()
		sub.id = ""
		sub.mu.Unlock()
	}
	if err == nil || c.closed || c.mending || len(c.subscriptions) == 0 {
		return
	}
	c.mending = true
	c.workers.Go(c.mend)
}

// mend reconnects and subscribes again, until that has worked or nobody wants
// it any more.
func (c *Client) mend() {
	var backoff endpoint.Backoff
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-c.life.Done():
			return
		}
		if c.mended() {
			return
		}
		timer.Reset(backoff.Next())
	}
}

// mended tries once to bring back every subscription that has no place at the
// service.
func (c *Client) mended() bool {
	s, err := c.endpoint.Acquire(c.life)
	if err != nil {
		return c.life.Err() != nil
	}
	for {
		sub := c.next()
		if sub == nil {
			return true
		}
		ctx, cancel := context.WithTimeout(c.life, 2*unsubscribeTimeout)
		err := c.enrol(ctx, s, sub)
		cancel()
		if err == nil {
			continue
		}
		if wire.CodeOf(err) == wire.CodeConnectionLost || wire.CodeOf(err) == wire.CodeDeadlineExceeded {
			return false
		}
		sub.finish(err) // the service does not want it any more
	}
}

// next returns a subscription to bring back; when there is none the mending
// is over.
func (c *Client) next() *Subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	for sub := range c.subscriptions {
		sub.mu.Lock()
		gone := sub.id == "" && sub.err == nil
		sub.mu.Unlock()
		if gone {
			return sub
		}
	}
	c.mending = false
	return nil
}

// Subscribe hears the events that match pattern within the service itself:
// what the service publishes, and what its clients publish to it. See
// Client.Subscribe.
func (s *Service) Subscribe(pattern string, opts *SubscribeOptions) (*Subscription, error) {
	var subscriber *hub.Subscriber
	sub, err := newSubscription(pattern, opts, func(sub *Subscription) {
		subscriber.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.locals, sub)
	})
	if err != nil {
		return nil, err
	}
	if sub.pattern.IsLiteral() && !s.manifest.Publishable(sub.name) {
		return nil, s.noChannel(sub.name)
	}
	l := &local{sub: sub}
	subscriber = s.hub.Attach(l.drain)
	l.from = subscriber
	s.mu.Lock()
	s.locals[sub] = struct{}{}
	s.mu.Unlock()
	if _, _, err := subscriber.Subscribe(sub.name, nil); err != nil {
		sub.Close()
		return nil, err
	}
	return sub, nil
}
