package ipc

import (
	"context"
	"sync"
	"time"

	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// PublishOptions adjusts PublishWith. A nil *PublishOptions means the
// defaults.
type PublishOptions struct {
	// ID names the event, so that publishing it again, after an error that
	// left it in doubt, does not make two of it: a channel that keeps its
	// events knows the IDs of the last two minutes. 10 to 128 bytes. Default
	// a new one.
	ID string
}

// Receipt is what came of an event that was published.
type Receipt struct {
	Stream string `json:"stream"` // the channel that carries the event, or the event's own name
	Epoch  string `json:"epoch"`
	Seq    uint64 `json:"seq"` // the event's place in the stream

	// Duplicate: an event of this ID was published before, and this one was
	// not. Seq is the place of that one.
	Duplicate bool `json:"duplicate,omitzero"`

	// Receivers is how many subscribers of the moment the event was queued
	// for, and Behind how many of them had not yet taken those before it.
	Receivers int `json:"receivers"`
	Behind    int `json:"behind"`
}

// minEventID is the shortest ID of an event that a publisher may choose.
const minEventID = 10

func (o *PublishOptions) id() (string, *Error) {
	if o == nil || o.ID == "" {
		return "", nil
	}
	if len(o.ID) < minEventID || len(o.ID) > MaxIdempotencyKey {
		return "", wire.Errorf(wire.CodeInvalidArgument, "the ID of an event has %d to %d bytes, not %d", minEventID, MaxIdempotencyKey, len(o.ID))
	}
	return o.ID, nil
}

// Publish sends an event to everybody who subscribed to it, on this machine
// and within the service. The manifest must declare it, and data must fit the
// declared schema. It never waits for a subscriber. On a channel that keeps
// its events it returns when the event is kept, and if the channel is
// persistent that is on the disk; when a queue with "onSlow": "block" is full
// it waits for room, until ctx ends.
func (s *Service) Publish(ctx context.Context, event string, data any) error {
	_, err := s.publish(ctx, event, data, "")
	return err
}

// PublishWith is Publish with options, and says who got the event.
func (s *Service) PublishWith(ctx context.Context, event string, data any, opts *PublishOptions) (*Receipt, error) {
	id, failure := opts.id()
	if failure != nil {
		return nil, failure
	}
	r, err := s.publish(ctx, event, data, id)
	if err != nil {
		return nil, err
	}
	return receiptOf(r), nil
}

func (s *Service) publish(ctx context.Context, event string, data any, id string) (r hub.Receipt, err error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	text, err := jsonOf(data)
	if err != nil {
		return r, err
	}
	if err := s.checkEvent(event, text); err != nil {
		return r, err
	}
	if r, err = s.hub.Publish(ctx, hub.Publication{Name: event, Data: text, ID: id}); err != nil {
		return r, publishError(ctx, err)
	}
	s.counts.events.Add(1)
	return r, nil
}

// Publish sends an event to the service, which gives it to its subscribers.
// It is sent at most once and not waited for: a refusal (an unknown event,
// data that does not fit) goes to ClientOptions.OnError. The error returned
// here means that it was not sent. Close and Flush wait until it has left.
//
// On a channel that the manifest declares persistent, or a queue, Publish is
// PublishWith: it returns when the service has kept the event. A service that
// was found by its address is asked for its manifest, once for a connection.
func (c *Client) Publish(ctx context.Context, event string, data any) error {
	if err := wire.CheckName(event); err != nil {
		return err
	}
	m, err := c.promised(ctx)
	if err != nil {
		return err
	}
	if _, awaited := keeps(m, event); awaited {
		_, err := c.PublishWith(ctx, event, data, nil)
		return err
	}
	text, err := jsonOf(data)
	if err != nil {
		return err
	}
	s, err := c.endpoint.Acquire(ctx)
	if err != nil {
		return c.acquireError(ctx, err)
	}
	return s.Send(&wire.Message{Type: wire.TypeEvent, Channel: []byte(wire.EventChannel(event)), Data: text})
}

// PublishWith publishes an event and waits for the service's receipt: it says
// that the event has a place in its channel, and is kept if the channel keeps
// events, on the disk if it is persistent. An event that the channel keeps is
// sent again, under the same ID, when the connection is lost before the
// receipt has come; of others that is left to the caller, whom the error tells
// so: CONNECTION_LOST, executed "maybe".
func (c *Client) PublishWith(ctx context.Context, event string, data any, opts *PublishOptions) (*Receipt, error) {
	if err := wire.CheckName(event); err != nil {
		return nil, err
	}
	id, failure := opts.id()
	if failure != nil {
		return nil, unsent(failure)
	}
	if id == "" {
		id = wire.NewUUID()
	}
	text, err := jsonOf(data)
	if err != nil {
		return nil, err
	}
	m, err := c.promised(ctx)
	if err != nil {
		return nil, err
	}
	kept, _ := keeps(m, event)
	answer, err := c.attempt(ctx, &attempts{
		req:        session.Request{Type: wire.TypeEvent, ID: []byte(id), Channel: []byte(wire.EventChannel(event)), Data: text, Meta: wire.Metadata{Confirm: true}},
		idempotent: kept,
	})
	if err != nil {
		return nil, err
	}
	var r Receipt
	if err := answer.Decode(&r); err != nil {
		return nil, err
	}
	return &r, nil
}

// publishError makes a coded error of a wait for room that was given up.
func publishError(ctx context.Context, err error) error {
	if ctx.Err() != nil && err == ctx.Err() {
		return gaveUp(err)
	}
	return err
}

func receiptOf(r hub.Receipt) *Receipt {
	return &Receipt{Stream: r.Stream, Epoch: r.Epoch, Seq: r.Seq, Duplicate: r.Duplicate, Receivers: r.Receivers, Behind: r.Behind}
}

func (s *Service) checkEvent(name string, data Raw) *Error {
	e := s.manifest.EventByName(name)
	if e == nil {
		if err := wire.CheckName(name); err != nil {
			return asError(err)
		}
		if !s.manifest.Publishable(name) {
			return s.noChannel(name)
		}
		return nil
	}
	if err := e.Check(data); err != nil {
		return violation(wire.CodeSchemaMismatch, err)
	}
	return nil
}

// mayPublish says why a client may not publish an event, nil if it may.
func (s *Service) mayPublish(name string) *Error {
	if s.manifest.ClientsMayPublish(name) {
		return nil
	}
	return wire.Errorf(wire.CodePermissionDenied, "%s is published by %s alone, says its manifest", name, s.name)
}

// creditChannel is where a subscriber says how much it has read.
const creditChannel = "ipc.credit"

// Event implements session.Handler: a client publishes.
func (p *peer) Event(in *session.Inbound) {
	s := p.service
	if p.refused != nil {
		in.Fail(p.refused)
		return
	}
	name := string(wire.EventName(in.Channel))
	switch name {
	case "ipc.goodbye":
		p.bye.Store(true)
		return
	case creditChannel:
		p.outletOf().Grant(string(in.Meta.Subscription), in.Meta.Credit)
		return
	}
	err := s.checkEvent(name, in.Data)
	if err == nil {
		err = s.mayPublish(name)
	}
	if err != nil {
		s.fail(in, err)
		return
	}
	kept, slowly := s.hub.Keeps(name)
	if slowly {
		p.publishSlowly(in, name)
		return
	}
	event := hub.Publication{Name: name, Data: in.Data}
	if kept || in.CorrelationID != nil { // so the other id is the publisher's choice
		event.ID = string(in.MessageID)
	}
	r, failed := s.hub.Publish(context.Background(), event)
	p.tell(in, r, failed)
}

// publishSlowly publishes on a channel whose log is on a disk, or makes
// publishers wait for room. The connection is read on meanwhile.
func (p *peer) publishSlowly(in *session.Inbound, name string) {
	// Half of what a connection may have running is left to its requests.
	most := max(orElse(p.service.opts.MaxInFlight, session.DefaultMaxInFlight)/2, 1)
	begun := p.published.begin(most)
	if begun == nil {
		p.service.fail(in, tooManyKept(most))
		return
	}
	own := in.Aside()
	if own == nil { // it has been told that it has too many
		p.published.end(begun)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), own.Left())
	p.service.hub.PublishThen(ctx, hub.Publication{Name: name, Data: own.Data, ID: string(own.MessageID)}, func(r hub.Receipt, err error) {
		cancel()
		// Not on the goroutine of the log, which has others to tell.
		own.Resume(func(own *session.Inbound) {
			p.tell(own, r, err)
			p.published.end(begun)
		})
	})
}

// keptAgain is when a publisher who was told OVERLOADED may come again.
const keptAgain = 50 * time.Millisecond

// tooManyKept is the answer to a publisher whose events come faster than they
// are kept.
func tooManyKept(most int) *Error {
	e := wire.Errorf(wire.CodeOverloaded, "%d events of this connection wait to be kept already: they come faster than the disk, or who makes room, is", most)
	e.Details.RetryAfter = keptAgain
	e.Details.More = map[string]any{"depth": most, "limit": most}
	return e
}

// tell tells a publisher what became of its event, if it wants to know.
func (p *peer) tell(in *session.Inbound, r hub.Receipt, err error) {
	s := p.service
	if err != nil {
		s.fail(in, asError(err))
		return
	}
	s.counts.events.Add(1)
	if !in.Meta.Confirm {
		return
	}
	data, err := appendJSON(nil, receiptOf(r))
	if err != nil {
		s.fail(in, asError(err))
		return
	}
	in.Reply(data)
}

// tally knows when what was begun before some moment has ended.
type tally struct {
	mu    sync.Mutex
	count int     // of what has not ended
	spans []*span // oldest first; those that have ended are gone
}

// span is what was begun between two moments that somebody waits for.
type span struct {
	running int
	then    func() // when it and all before it have ended; nil while it is the last
}

// begin counts one more, or returns nil if there are most already.
func (t *tally) begin(most int) *span {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count >= most {
		return nil
	}
	t.count++
	if len(t.spans) == 0 || t.spans[len(t.spans)-1].then != nil {
		t.spans = append(t.spans, &span{})
	}
	s := t.spans[len(t.spans)-1]
	s.running++
	return s
}

func (t *tally) end(s *span) {
	t.mu.Lock()
	t.count--
	s.running--
	var then []func()
	for len(t.spans) > 0 && t.spans[0].running == 0 {
		if t.spans[0].then != nil {
			then = append(then, t.spans[0].then)
		}
		t.spans = t.spans[1:]
	}
	t.mu.Unlock()
	for _, f := range then {
		f()
	}
}

// running reports whether anything has not ended.
func (t *tally) running() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.spans) > 0
}

// after calls f once all that has begun has ended. It reports false when that
// is so already; f is not called then.
func (t *tally) after(f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.spans) == 0 {
		return false
	}
	if last := t.spans[len(t.spans)-1]; last.then == nil {
		last.then = f
		return true
	}
	t.spans = append(t.spans, &span{then: f})
	return true
}
