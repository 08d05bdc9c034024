package ipc

import (
	"slices"

	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// Request implements session.Handler: the service calls its client. It runs
// on a goroutine of its own.
func (l *listener) Request(in *session.Inbound) {
	c := l.client
	name := string(in.Action)
	if len(in.Action) == 0 {
		name = string(in.Channel)
	}
	if name == "ping" && string(in.Channel) == "ipc.ping" || name == "ipc.ping" {
		in.Reply(in.Data)
		return
	}
	h := c.opts.Methods[name]
	if h == nil || in.Type != wire.TypeRequest {
		in.Fail(c.offersNot(name))
		return
	}
	call := &call{Request: Request{Method: name, Data: Raw(in.Data)}}
	in.Start(&call.Context)
	defer call.End()
	result, panicked, err := invoke(h, call, c.opts.Logger)
	if panicked || err != nil {
		in.Fail(handlerError(err, call.Err(), wayInside, true))
		return
	}
	data, err := appendJSON(nil, result)
	if err != nil {
		in.Fail(violation(wire.CodeResponseSchemaMismatch, err))
		return
	}
	in.Reply(data)
}

// offersNot is the answer to a method that the client does not offer.
func (c *Client) offersNot(name string) *Error {
	if len(c.opts.Methods) == 0 {
		return wire.Errorf(wire.CodeMethodNotFound, "this client offers no methods")
	}
	hint := ""
	names := make([]string, 0, len(c.opts.Methods))
	for offered := range c.opts.Methods {
		names = append(names, offered)
	}
	slices.Sort(names)
	if near := manifest.Closest(name, names); near != "" {
		hint = `; did you mean "` + near + `"?`
	}
	return wire.Errorf(wire.CodeMethodNotFound, "this client offers no method %q%s", name, hint)
}
