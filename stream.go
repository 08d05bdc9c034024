package ipc

import (
	"context"
	"io"
	"iter"

	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// Stream is one call of a method that streams, as the manifest says: many
// items from the service ("stream": "server"), many to it ("client"), or both.
// One goroutine may send and another receive at the same time; Close may be
// called from any.
//
// The two ends are paced by credit: a sender waits when 256 KiB are under way
// that the other side has not taken (64 KiB at first, from a client). A reader
// that stalls therefore holds up its own stream and nothing else.
//
// A stream has to be received to its end, or closed.
type Stream struct {
	s *session.Stream
}

// Stream calls method and returns as soon as the request is on its way. It
// lasts until the service has answered, ctx ends or the connection does; it
// has no other deadline, and ClientOptions.Timeout does not apply. It is never
// sent twice.
func (c *Client) Stream(ctx context.Context, method string, args ...any) (*Stream, error) {
	data, err := appendArguments(nil, args)
	if err != nil {
		return nil, err
	}
	return c.StreamRaw(ctx, method, data)
}

// StreamRaw is Stream with the arguments as JSON, as for CallRaw. data is not
// kept.
func (c *Client) StreamRaw(ctx context.Context, method string, data Raw) (*Stream, error) {
	if len(data) == 0 {
		data = nil
	}
	if len(c.opts.Interceptors) == 0 {
		return c.open(ctx, method, data)
	}
	h := intercept(func(ctx context.Context, r *Request) (any, error) { return c.open(ctx, r.Method, r.Data) }, c.opts.Interceptors)
	result, err := h(ctx, &Request{Method: method, Data: data})
	if err != nil {
		return nil, err
	}
	stream, ok := result.(*Stream)
	if !ok {
		return nil, wire.Errorf(wire.CodeInternal, "an interceptor answered %s with a %T in the place of its *Stream", method, result)
	}
	return stream, nil
}

// open is the innermost handler of a client for streams.
func (c *Client) open(ctx context.Context, method string, data Raw) (*Stream, error) {
	r, err := c.routeOf(method)
	if err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		s, err := c.endpoint.Acquire(ctx)
		if err != nil {
			return nil, c.acquireError(ctx, err)
		}
		stream, err := s.Open(ctx, &session.Request{Type: wire.TypeRequest, Channel: r.channel, Action: r.action, Data: data})
		if err == nil {
			return &Stream{stream}, nil
		}
		if attempt > 0 || !leftBehind(err) || c.life.Err() != nil {
			return nil, err
		}
	}
}

// Send sends an item to the service, waiting until it has room for it. The
// error is ctx's, or why the stream has ended, or that item cannot be sent,
// which does not end the stream.
func (s *Stream) Send(ctx context.Context, item any) error {
	return sendItem(ctx, s.s, item, nil)
}

// CloseSend tells the service that no more items come. It is idempotent.
func (s *Stream) CloseSend() error { return s.s.CloseSend() }

// Recv returns the service's next item, waiting for it. The error is io.EOF
// after the last one, ctx's, or an *Error that says why the stream ended;
// items that came before are returned first.
func (s *Stream) Recv(ctx context.Context) (Raw, error) { return s.s.Recv(ctx) }

// All returns the items until the stream ends or the loop is left, and closes
// the stream then. The last pair holds the error, unless that is the end.
func (s *Stream) All(ctx context.Context) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		defer s.Close()
		items(ctx, s.s)(yield)
	}
}

// Result waits for the end of the stream and returns what the method answered
// after it: the result of a method to which the client streams. Items that
// were not received are dropped.
func (s *Stream) Result(ctx context.Context) (Raw, error) { return s.s.Result(ctx) }

// Close ends the stream. A service that still works on it is told to stop. It
// is idempotent.
func (s *Stream) Close() error {
	s.s.Close()
	return nil
}

// items returns what is received until the stream or the loop ends.
func items(ctx context.Context, s *session.Stream) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		for {
			item, err := s.Recv(ctx)
			if err == io.EOF || !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// sendItem sends an item after check has found it right.
func sendItem(ctx context.Context, s *session.Stream, item any, check func([]byte) error) error {
	text, err := jsonText(item)
	if err != nil {
		return err
	}
	defer text.Release()
	if check != nil {
		if err := check(text.JSON()); err != nil {
			return violation(wire.CodeResponseSchemaMismatch, err)
		}
	}
	return s.Send(ctx, text)
}

// Send sends an item to the caller of a method that streams to it, waiting
// until the caller has room for it. The error is ctx's, or why the stream has
// ended, or RESPONSE_SCHEMA_MISMATCH for an item that is not what the manifest
// promises; a handler returns it.
func (r *Request) Send(ctx context.Context, item any) error {
	if r.stream == nil || r.decl.Stream == manifest.StreamClient {
		return wire.Errorf(wire.CodeResponseSchemaMismatch, "%s does not stream to its caller; its manifest would say so by stream", r.Method)
	}
	return sendItem(ctx, r.stream, item, r.decl.CheckResult)
}

// Recv returns the next item of a caller that streams, waiting for it. The
// error is io.EOF after the last one, ctx's, SCHEMA_MISMATCH for an item that
// is not what the manifest asks for, or why the stream has ended.
func (r *Request) Recv(ctx context.Context) (Raw, error) {
	if r.stream == nil {
		return nil, io.EOF
	}
	item, err := r.stream.Recv(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.decl.CheckItem(item); err != nil {
		e := violation(wire.CodeSchemaMismatch, err)
		e.Details.Executed = wire.ExecutedMaybe // those before it were taken
		return nil, e
	}
	return item, nil
}

// Items returns the items of a caller that streams, until they or the loop
// end. The last pair holds the error, if there is one.
func (r *Request) Items(ctx context.Context) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		for {
			item, err := r.Recv(ctx)
			if err == io.EOF || !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// StreamOf is Client.Stream for a method that streams to its caller, with
// typed items. The call is made when the loop begins, and ended when it is
// left. The last pair holds the error, if there is one.
func StreamOf[Item any](ctx context.Context, c *Client, method string, args ...any) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var none Item
		stream, err := c.Stream(ctx, method, args...)
		if err != nil {
			yield(none, err)
			return
		}
		defer stream.Close()
		typed[Item](items(ctx, stream.s), method, wire.CodeResponseSchemaMismatch)(yield)
	}
}

// typed decodes the items of a stream.
func typed[Item any](raw iter.Seq2[Raw, error], method string, misfit Code) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for text, err := range raw {
			var item Item
			if err == nil {
				if e := text.decode(&item); e != nil {
					err = wire.Errorf(misfit, "an item of %s: %w", method, e)
				}
			}
			if err != nil {
				var none Item
				yield(none, err)
				return
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// HandleStream makes fn answer the calls of a method that streams to its
// caller: with the items that fn returns, until an error ends them. The loop
// over them stops when the caller does. Req is as for Handle.
func HandleStream[Req, Item any](s *Service, method string, fn func(ctx context.Context, req Req) iter.Seq2[Item, error]) {
	s.Handle(method, func(ctx context.Context, r *Request) (any, error) {
		var req Req
		if err := r.bind(&req); err != nil {
			return nil, err
		}
		for item, err := range fn(ctx, req) {
			if err != nil {
				return nil, err
			}
			if err := r.Send(ctx, item); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}

// HandleItems makes fn answer the calls of a method to which the caller
// streams. The last pair of items holds an error if they ended in one. What
// fn does not take is dropped.
func HandleItems[Item, Res any](s *Service, method string, fn func(ctx context.Context, r *Request, items iter.Seq2[Item, error]) (Res, error)) {
	s.Handle(method, func(ctx context.Context, r *Request) (any, error) {
		res, err := fn(ctx, r, typed[Item](r.Items(ctx), method, wire.CodeSchemaMismatch))
		if err != nil {
			return nil, err
		}
		return res, nil
	})
}
