package ipc

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// Subscribe asks for the events that match pattern, in which "*" stands for
// one token and a last "**" for all the rest: "user.*", "**". The name of a
// channel stands for all the events that it carries. It returns when the
// service has agreed; what is published from then on arrives. When the
// connection is lost it is opened anew, and the subscription goes on where it
// stood if the channel keeps its events; the first event after that has a Gap
// if something was missed.
func (c *Client) Subscribe(ctx context.Context, pattern string, opts *SubscribeOptions) (*Subscription, error) {
	sub, err := newSubscription(pattern, opts, c.unsubscribe)
	if err != nil {
		return nil, unsent(err)
	}
	sub.grouped = sub.grouped || c.Manifest().ChannelByName(sub.name).IsQueue()
	sub.grant = c.grant
	sub.settle, sub.told = c.settle, c.opts.OnError
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
	c.audience.Add(1)
	c.mu.Unlock()
	if err := c.enrol(ctx, s, sub, false); err != nil {
		c.drop(sub)
		return nil, err
	}
	return sub, nil
}

// enrol subscribes at the service and keeps the session read. again says that
// the subscription has been there before.
func (c *Client) enrol(ctx context.Context, s *session.Session, sub *Subscription, again bool) error {
	w, err := c.wishOf(sub, again)
	if err != nil {
		return err
	}
	id, connection := w.Subscription, c.connections.Load() // if it is not that of s, then s has ended
	stood := sub.enter(id, connection)
	if again && !sub.grouped {
		if err := w.goOn(stood); err != nil {
			sub.refused()
			return err
		}
	}
	c.mu.Lock()
	c.enrolling++
	if id != "" {
		c.separate[id] = sub
	}
	c.audience.Add(1)
	c.mu.Unlock()
	defer c.claim(sub)
	answer, err := c.ask(ctx, s, sub, &w)
	if err != nil {
		sub.refused()
		c.mu.Lock()
		delete(c.separate, id)
		c.audience.Add(1)
		c.mu.Unlock()
		return err
	}
	if answer.Group != "" && !sub.grouped {
		sub.join()
	}
	if id != "" && answer.Subscription != id {
		c.rename(sub, id, answer.Subscription)
	}
	sub.read(s)
	starts := answer.starts(sub)
	if !sub.pattern.IsLiteral() && len(answer.Channels) < maxStarts {
		for stream := range stood { // that is not listed has begun anew
			if _, listed := starts[stream]; !listed {
				starts[stream] = Cursor(answer.From)
			}
		}
	}
	sub.entered(answer.Subscription, connection, stood, starts)
	c.recheck(s, connection)
	return nil
}

// claim ends the enrolling of a subscription, and the subscription if the
// service has ended it meanwhile.
func (c *Client) claim(sub *Subscription) {
	c.mu.Lock()
	var over *Error
	for id, err := range c.farewells {
		if sub.is(id) {
			over = err
			delete(c.farewells, id)
		}
	}
	var others []*Error // that turn out to be of none
	if c.enrolling--; c.enrolling == 0 {
		for _, err := range c.farewells {
			others = append(others, err)
		}
		clear(c.farewells)
	}
	c.mu.Unlock()
	if over != nil {
		sub.left()
		sub.finish(over)
	}
	for _, err := range others {
		c.opts.OnError(err)
	}
}

// recheck notes that a session has ended, if it has: that may have been noted
// before what stands there now did.
func (c *Client) recheck(s *session.Session, connection uint64) {
	select {
	case <-s.Done():
		c.lost(connection, s.Err())
	default:
	}
}

// wishOf returns the data of a subscribe message. Its id is the one that the
// events of the subscription will carry: "" if it is a plain one. again says
// that the subscription stood there before.
func (c *Client) wishOf(sub *Subscription, again bool) (w wish, err error) {
	if w, err = sub.opts.wish(); err != nil {
		return w, err
	}
	// Of a service that was found without its manifest a name may be that of a
	// queue, whose events come with an id only.
	unknown := c.Manifest() == nil && sub.pattern.IsLiteral()
	plain := w.isPlain() && !sub.grouped
	if !plain || again || unknown {
		w.Subscription = "c" + strconv.FormatUint(c.lastID.Add(1), 36)
		if w.Plain = plain; !sub.grouped {
			w.Window = sub.window()
		}
		if sub.opts.Limit > 0 && (sub.grouped || unknown) {
			w.Limit = sub.wanted()
		}
	}
	if sub.opts.Disconnect {
		w.OnSlow = "disconnect"
	}
	return w, nil
}

// goOn makes the wish one to go on where a subscription stood.
func (w *wish) goOn(stood map[string]cursor) (err error) {
	streams := make(map[string]cursorText, len(stood))
	for stream, last := range stood {
		streams[stream] = cursorText{last.epoch, last.seq + 1}
	}
	w.From, err = appendJSON(nil, map[string]any{"streams": streams})
	return err
}

// agreement is the answer to a subscribe message.
type agreement struct {
	Subscription string                `json:"subscription"`
	From         cursorText            `json:"from"`
	Stream       string                `json:"stream"`
	Group        string                `json:"group"`
	Channels     map[string]cursorText `json:"channels"`
}

// starts is where the events of a subscription begin, by stream.
func (a *agreement) starts(sub *Subscription) map[string]Cursor {
	starts := make(map[string]Cursor, len(a.Channels)+1)
	for name, at := range a.Channels {
		starts[name] = Cursor(at)
	}
	if sub.pattern.IsLiteral() {
		starts[cmp.Or(a.Stream, sub.name)] = Cursor(a.From)
	}
	return starts
}

func (c *Client) ask(ctx context.Context, s *session.Session, sub *Subscription, w *wish) (a agreement, err error) {
	req := &session.Request{Type: wire.TypeSubscribe, Channel: []byte(wire.EventChannel(sub.name))}
	if req.Data, err = appendJSON(nil, w); err != nil {
		return a, err
	}
	if string(req.Data) == "{}" {
		req.Data = nil
	}
	data, err := s.Call(ctx, req)
	if err != nil {
		return a, err
	}
	return a, Raw(data).Decode(&a)
}

func (c *Client) drop(sub *Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.subscriptions, sub)
	for id, one := range c.separate {
		if one == sub {
			delete(c.separate, id)
		}
	}
	c.audience.Add(1)
}

// farewellTo returns the subscription that the service calls so, nil if there
// is none. early says that it may be one whose answer is not read yet: the
// farewell is kept for it.
func (c *Client) farewellTo(id string, err *Error) (sub *Subscription, early bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sub := c.separate[id]; sub != nil {
		return sub, false
	}
	for sub := range c.subscriptions {
		if sub.is(id) {
			return sub, false
		}
	}
	// Those of events are longer.
	if c.enrolling > 0 && len(id) < uuidSize && len(c.farewells) < maxFarewells {
		c.farewells[id] = err
		return nil, true
	}
	return nil, false
}

// rename is for services that do not let their clients choose: the events of
// the subscription carry the service's own id, or none.
func (c *Client) rename(sub *Subscription, chosen, given string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.separate, chosen)
	c.separate[given] = sub
	sub.share(nil)
	c.audience.Add(1)
}

// grant tells the service that a subscription has read so many bytes of the
// events that it was sent under an id.
func (c *Client) grant(s *session.Session, id string, n int) {
	md := wire.Metadata{Subscription: []byte(id), Credit: int64(n)}
	s.Send(&wire.Message{Type: wire.TypeEvent, Channel: []byte(creditChannel), Metadata: md.Append(nil)})
}

// unsubscribeTimeout bounds how long Subscription.Close waits for the service.
const unsubscribeTimeout = 5 * time.Second

// unsubscribe tells the service that nobody listens any more.
func (c *Client) unsubscribe(sub *Subscription) {
	c.drop(sub)
	defer sub.read(nil)
	id := sub.leave()
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
}

// settle tells the service what became of an event.
func (c *Client) settle(ctx context.Context, e *Event, what settlement) error {
	id := e.sub.at(e.connection, c.connections.Load())
	if id == "" {
		err := wire.Errorf(wire.CodeNotFound, "event %d of %s came by a connection that is lost; it will come again", e.Seq, e.Stream)
		err.Details.Origin = wire.OriginClient
		return err
	}
	data := map[string]any{"subscription": id, "seq": e.Seq}
	if what.delay > 0 {
		data["delayMs"] = what.delay.Milliseconds()
	}
	if what.reason != "" {
		data["reason"] = what.reason
	}
	_, err := c.Call(ctx, "ipc."+what.verb, data)
	return err
}

// lost is called when the session of a connection has ended. What stood there
// is brought back. There may be another connection already.
func (c *Client) lost(connection uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, sub := range c.separate {
		if sub.on(connection) {
			delete(c.separate, id)
		}
	}
	c.audience.Add(1)
	for sub := range c.subscriptions {
		if sub.on(connection) {
			sub.left()
		}
	}
	if c.will.connection == connection {
		c.will.connection = 0
	}
	if err != nil && !c.closed && (len(c.subscriptions) > 0 || c.will.will != nil) {
		c.mendLocked()
	}
}
