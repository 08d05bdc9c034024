package ipc

import (
	"context"
	"os"

	"github.com/ekkojs/ipc/auth"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// Caller is who sent a request: the word of the kernel, or of an authority
// that the operator trusts, not the caller's.
type Caller = auth.Caller

// localSystem is the SID of root's like on Windows.
const localSystem = "S-1-5-18"

// sameUser admits the service's own user and root.
func sameUser(c Caller) bool {
	if c.SID != "" {
		return c.Known && (c.SID == localSystem || c.SID == transport.OwnSID())
	}
	return c.Known && (c.UID == 0 || int(c.UID) == os.Geteuid())
}

// identified admits those and whoever an authority vouches for that the
// operator has named.
func identified(c Caller) bool { return sameUser(c) || c.Certificate != nil }

// Request is one call, on its way to a handler on either side.
type Request struct {
	// Method is the name of the method.
	Method string

	// Data is the arguments as the caller sent them: an array, a single
	// value, or an object of named arguments. On a service it is valid until
	// the handler returns; copy it to keep it.
	Data Raw

	// Caller is who calls. It is the zero Caller on a client.
	Caller Caller

	decl   *manifest.Method // nil on a client, and where the manifest does not declare it
	stream *session.Stream  // nil unless the method streams
	from   *session.Session // nil on a client
	way    *way             // nil on a client

	bound bool  // args is what Args returns
	args  []Raw // into Data
}

// fewArguments is how many arguments a request has room for itself.
const fewArguments = 2

// bindTo checks the arguments against the manifest and keeps where each is, in
// room if they fit.
func (r *Request) bindTo(room []Raw) error {
	if r.decl == nil || r.decl.Parameters == nil {
		return nil // they are taken as they come, when they are asked for
	}
	var few [fewArguments][]byte
	values, err := r.decl.Bind(r.Data, few[:0])
	if err != nil {
		return err
	}
	for _, v := range values {
		room = append(room, v)
	}
	r.args, r.bound = room, true
	return nil
}

// way is how far a request has come through the interceptors of a service.
type way uint8

const (
	wayOutside  way = iota // its handler was not entered
	wayInside              // it was, and has failed or not returned
	wayReturned            // it has returned a result
)

// noted is h, noting on the request's way that it was entered.
func noted(h Handler) Handler {
	return func(ctx context.Context, r *Request) (any, error) {
		if r.way != nil {
			*r.way = wayInside
		}
		result, err := h(ctx, r)
		if r.way != nil && err == nil {
			*r.way = wayReturned
		}
		return result, err
	}
}

// Args returns the arguments in the order of the declared parameters, with
// defaults in the place of absent ones. Arguments left out at the end are
// left out here.
func (r *Request) Args() ([]Raw, error) {
	if r.bound {
		return r.args, nil
	}
	if r.decl == nil {
		return positional(r.Data)
	}
	values, err := r.decl.Arguments(r.Data)
	if err != nil {
		return nil, violation(wire.CodeSchemaMismatch, err)
	}
	args := make([]Raw, len(values))
	for i, v := range values {
		args[i] = Raw(v)
	}
	return args, nil
}

// positional splits the arguments of a method whose parameters are not
// declared.
func positional(data Raw) ([]Raw, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if data[0] != '[' {
		return []Raw{data}, nil
	}
	var args []Raw
	err := data.Decode(&args)
	return args, err
}

// Decode stores the arguments in order in what the targets point to.
// Arguments that were left out leave their targets as they are.
func (r *Request) Decode(targets ...any) error {
	args, err := r.Args()
	if err != nil {
		return err
	}
	for i, arg := range args {
		if i >= len(targets) {
			break
		}
		if err := arg.decode(targets[i]); err != nil {
			e := wire.Errorf(wire.CodeSchemaMismatch, "argument %s: %w", r.parameter(i), err)
			e.Details.Path = "/" + r.parameter(i)
			return e
		}
	}
	return nil
}

// Handler does what a request asks. On a service it runs for one request at a
// time per connection as long as it is quick (about a millisecond); slower
// ones run beside each other. It must be safe for concurrent use. The result
// becomes JSON; a Raw is sent as it is.
type Handler func(ctx context.Context, r *Request) (any, error)

// Interceptor wraps a Handler; it has the same form on both sides of a
// connection.
type Interceptor func(Handler) Handler

// intercept composes interceptors around h, the first one outermost.
func intercept(h Handler, interceptors []Interceptor) Handler {
	for i := len(interceptors) - 1; i >= 0; i-- {
		h = interceptors[i](h)
	}
	return h
}

// call is one request on a service, in one allocation.
type call struct {
	Request
	came way               // what Request.way points to
	few  [fewArguments]Raw // where Request.args is, as long as they are few
	session.Context
}

// callerKey finds the Caller in a handler's context.
type callerKey struct{}

// Value gives handlers their caller, and else what the service's context has.
func (c *call) Value(key any) any {
	switch key.(type) {
	case callerKey:
		return c.Caller
	case peerKey:
		return c.Peer()
	}
	return c.Context.Value(key)
}

// CallerOf returns who sent the request that a handler's ctx belongs to: for
// typed handlers, which have no Request. It is the zero Caller elsewhere.
func CallerOf(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}
