package main

import (
	"context"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// notifiedJSON is what call --notify prints with -j.
type notifiedJSON struct {
	Service string `json:"service"`
	Method  string `json:"method"`
	Sent    bool   `json:"sent"`
}

// notify sends a call whose outcome nobody hears of. So what can be known to
// be wrong with it without the service is said here.
func (c *cli) notify(ctx context.Context, client *ipc.Client, t target, data ipc.Raw) error {
	method := t.manifest.MethodByName(t.method)
	if method == nil && t.manifest != nil {
		return t.explain(refused(wire.CodeMethodNotFound, "%s has no method %q", t.service, t.method))
	}
	args, err := positional(method, data)
	if err != nil {
		return t.explain(err)
	}
	if err := client.Notify(ctx, t.method, args...); err != nil {
		return t.explain(err)
	}
	if err := client.Close(); err != nil { // it has left when this returns
		return t.explain(err)
	}
	if c.wantsJSONDocument() {
		return c.emit(notifiedJSON{t.service, t.method, true})
	}
	c.note("sent to %s; nobody waits for what becomes of it", t)
	return nil
}

// positional takes the arguments of a request apart, in the order of the
// parameters, once they fit. Those of a method that is nil are not checked.
func positional(method *manifest.Method, data ipc.Raw) ([]any, error) {
	texts, err := method.Bind(data, nil)
	if err != nil {
		return nil, refused(wire.CodeSchemaMismatch, "%w", err)
	}
	args := make([]any, len(texts))
	for i, text := range texts {
		args[i] = ipc.Raw(text)
	}
	return args, nil
}

// refused is an error of ours in the place of the service's: nothing was sent.
func refused(code wire.Code, format string, args ...any) error {
	err := wire.Errorf(code, format, args...)
	err.Details.Executed, err.Details.Origin = wire.ExecutedNo, wire.OriginClient
	return err
}
