package ipc

import (
	"context"
	"strconv"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// Call is Client.Call with a typed result. Members of JSON objects are matched
// with regard to case, so a struct names them as the service does, by tags
// like `json:"name"`.
func Call[Res any](ctx context.Context, c *Client, method string, args ...any) (Res, error) {
	var res Res
	raw, err := c.Call(ctx, method, args...)
	if err != nil {
		return res, err
	}
	if err := raw.decode(&res); err != nil {
		var zero Res
		e := wire.Errorf(wire.CodeResponseSchemaMismatch, "the result of %s: %w", method, err)
		e.Details.Origin = wire.OriginClient
		return zero, e
	}
	return res, nil
}

// Handle is Service.Handle with typed arguments and result. Req takes the one
// argument of a method that has one parameter; for a method with several it is
// a struct (or a map) whose members are the parameters by name. For a method
// without parameters anything will do, such as struct{}. CallerOf tells who
// calls.
func Handle[Req, Res any](s *Service, method string, fn func(ctx context.Context, req Req) (Res, error)) {
	s.Handle(method, func(ctx context.Context, r *Request) (any, error) {
		var req Req
		if err := r.bind(&req); err != nil {
			return nil, err
		}
		res, err := fn(ctx, req)
		if err != nil {
			return nil, err
		}
		return res, nil
	})
}

// bind stores the arguments in v: the only one as it is, several by name.
func (r *Request) bind(v any) error {
	args, err := r.Args()
	if err != nil || len(args) == 0 {
		return err
	}
	if r.decl == nil || len(r.decl.Parameters) <= 1 {
		return r.Decode(v)
	}
	named := []byte{'{'}
	for i, arg := range args {
		if i > 0 {
			named = append(named, ',')
		}
		named = wire.AppendString(named, r.parameter(i))
		named = append(named, ':')
		named = append(named, arg...)
	}
	return Raw(append(named, '}')).Decode(v)
}

// parameter returns how errors call the ith argument.
func (r *Request) parameter(i int) string {
	if r.decl != nil && i < len(r.decl.Parameters) {
		return r.decl.Parameters[i].Name
	}
	return strconv.Itoa(i)
}

// Subscribe calls fn for each event that matches pattern, one after the
// other, on a goroutine of the client's that ends with the subscription or
// with ctx. An event whose data does not fit T goes to ClientOptions.OnError.
// With T Raw the data is passed on as it is.
//
// e and its Data (and so data, if T is Raw) are fn's until it returns: the
// next event takes their place. An event that has
// to be acknowledged is when fn returns, unless fn has done so itself or has
// given it back; one whose data does not fit is rejected.
func Subscribe[T any](ctx context.Context, c *Client, pattern string, fn func(ctx context.Context, data T, e *Event)) (*Subscription, error) {
	return SubscribeWith(ctx, c, pattern, nil, fn)
}

// SubscribeWith is Subscribe with options.
func SubscribeWith[T any](ctx context.Context, c *Client, pattern string, opts *SubscribeOptions, fn func(ctx context.Context, data T, e *Event)) (*Subscription, error) {
	sub, err := c.Subscribe(ctx, pattern, opts)
	if err != nil {
		return nil, err
	}
	sub.mu.Lock()
	sub.passing = true // no event has been taken yet
	sub.mu.Unlock()
	c.workers.Go(func() {
		defer sub.Close()
		var e Event
		var ids shelf
		var data, zero T // here, since it would be allocated for each event
		for sub.next(ctx, &e) == nil {
			e.ID = ids.keep(e.ID) // a text is for ever
			data = zero
			if err := decodeEvent(&e, &data); err != nil {
				c.opts.OnError(err)
				sub.settled(ctx, &e, settlement{verb: "reject", reason: err.Error()})
				continue
			}
			e.settled = false
			fn(ctx, data, &e)
			sub.settled(ctx, &e, settlement{verb: "ack"})
		}
	})
	return sub, nil
}

// decodeEvent stores the data of e in v.
func decodeEvent(e *Event, v any) error {
	if raw, ok := v.(*Raw); ok {
		*raw = e.Data
		return nil
	}
	if err := e.Data.decode(v); err != nil {
		return wire.Errorf(wire.CodeSchemaMismatch, "event %s: %w", e.Name, err)
	}
	return nil
}

// Manifest is what a service promises; see package manifest.
type Manifest = manifest.Manifest

// LoadManifest reads and checks the manifest at path.
func LoadManifest(path string) (*Manifest, error) { return manifest.Load(path) }

// ParseManifest checks a manifest's text.
func ParseManifest(text []byte) (*Manifest, error) { return manifest.Parse(text) }
