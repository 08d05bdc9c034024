//go:build linux

package torture

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/wire"
)

// plan is a call as it is going to be made.
type plan struct {
	method string
	args   []any
	key    bool // it may be repeated
}

// caller makes calls and writes down what becomes of them. Its methods may be
// called at any time from any goroutine.
type caller struct {
	journal *Journal
	plant   Plant
	client  atomic.Pointer[ipc.Client]
	made    atomic.Int64
}

// call makes the call that p plans, under the name id.
func (c *caller) call(ctx context.Context, p plan, id string) (ipc.Raw, error) {
	c.journal.Write(Event{Kind: Invoke, Call: id, Method: p.method, Retry: p.key})
	if p.key {
		ctx = ipc.WithIdempotencyKey(ctx, id)
	}
	result, err := c.client.Load().Call(ctx, p.method, p.args...)
	if c.plant == SilentRetry && ipc.CodeOf(err) == ipc.CodeDeadlineExceeded {
		result, err = c.client.Load().Call(context.WithoutCancel(ctx), p.method, p.args...)
	}
	e := outcome(id, result, err)
	switch n := c.made.Add(1); {
	case c.plant == LostOutcome && n%16 == 0:
		return result, err
	case c.plant == Optimist && e.Executed == wire.ExecutedMaybe:
		e.Executed = wire.ExecutedNo
	}
	c.journal.Write(e)
	return result, err
}

// outcome is the record of what came of a call.
func outcome(id string, result ipc.Raw, err error) Event {
	if err == nil {
		e := Event{Kind: OK, Call: id}
		if result.Decode(&e.Of) != nil {
			e.Note = "the result is no text"
		}
		return e
	}
	e := Event{Kind: Fail, Call: id, Note: err.Error()}
	if len(e.Note) > 160 {
		e.Note = e.Note[:160]
	}
	if coded, ok := errors.AsType[*ipc.Error](err); ok {
		e.Code, e.Executed = coded.Code, coded.Details.Executed
		if e.Of = named(coded.Message); !strings.HasSuffix(id, onward) {
			e.Of = strings.TrimSuffix(e.Of, onward) // the error of a call on its behalf is its own
		}
	}
	return e
}

// named returns the call that the message of an error names, as "[call]" at
// its beginning.
func named(message string) string {
	if !strings.HasPrefix(message, "[") {
		return ""
	}
	call, _, found := strings.Cut(message[1:], "]")
	if !found {
		return ""
	}
	return call
}

// onward ends the name of a call that a handler makes on behalf of another.
const onward = "/on"
