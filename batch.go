package ipc

import (
	"context"

	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// BatchCall is one call of a batch.
type BatchCall struct {
	Method string
	Args   []any // as for Client.Call
}

// Outcome is what became of one call of a batch: Data or Err.
type Outcome struct {
	Data Raw
	Err  error
}

// Decode stores the result in v, or returns why there is none.
func (o *Outcome) Decode(v any) error {
	if o.Err != nil {
		return o.Err
	}
	return o.Data.Decode(v)
}

// Batch makes many calls in one message and returns their outcomes in the
// order of calls. The service begins them in that order and runs them like any
// other calls: each succeeds or fails by itself. More than fit into one message
// (ClientOptions.MaxFrame) or may be outstanding (ClientOptions.MaxPending)
// travel in several. ctx and the timeout hold for the batch as a whole.
//
// The error says that nothing was sent because the service cannot be reached;
// all that concerns one call is in its Outcome. Interceptors do not see the
// calls of a batch, and it is not sent twice.
func (c *Client) Batch(ctx context.Context, calls []BatchCall) ([]Outcome, error) {
	out := make([]Outcome, len(calls))
	reqs := make([]session.Request, 0, len(calls))
	places := make([]int, 0, len(calls)) // of reqs in out
	for i := range calls {
		req, err := c.requestOf(&calls[i])
		if err != nil {
			out[i].Err = err
			continue
		}
		reqs = append(reqs, req)
		places = append(places, i)
	}
	if len(reqs) == 0 {
		return out, nil
	}
	s, err := c.endpoint.Acquire(ctx)
	if err != nil {
		return nil, c.acquireError(ctx, err)
	}
	for i, o := range s.CallAll(ctx, reqs) {
		out[places[i]] = Outcome{o.Data, o.Err}
	}
	return out, nil
}

func (c *Client) requestOf(call *BatchCall) (req session.Request, err error) {
	r, err := c.routeOf(call.Method)
	if err != nil {
		return req, err
	}
	data, err := appendArguments(nil, call.Args)
	return session.Request{Type: wire.TypeRequest, Channel: r.channel, Action: r.action, Data: data}, err
}

// Notify sends a request that is not answered: it returns when the request is
// on its way, and nobody hears what becomes of it. Requests and events of one
// client are taken up in the order in which they were sent. The error means
// that it was not sent.
func (c *Client) Notify(ctx context.Context, method string, args ...any) error {
	r, err := c.routeOf(method)
	if err != nil {
		return err
	}
	data, err := appendArguments(nil, args)
	if err != nil {
		return err
	}
	m := wire.Message{Type: wire.TypeRequest, Channel: r.channel, Action: r.action, Data: data}
	s, err := c.endpoint.Acquire(ctx)
	if err != nil {
		return c.acquireError(ctx, err)
	}
	return s.Send(&m)
}
