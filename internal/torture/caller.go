//go:build linux

package torture

import (
	"context"
	"errors"
	"fmt"
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
		e.Of = unpadded(e.Of)
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

// padding returns about size bytes that say whose they are.
func padding(call string, size int) string { return strings.Repeat(call+"|", size/(len(call)+1)) }

// unpadded returns the call whose padding that is, or that is named by itself.
// What is damaged is nobody's.
func unpadded(text string) string {
	call, _, padded := strings.Cut(text, "|")
	if padded && padding(call, len(text)) != text {
		return "damaged, of " + call
	}
	return call
}

// damage says where text is not the padding of call.
func damage(call, text string) string {
	whole := padding(call, len(text)+len(call)+1)
	for i := range text {
		if text[i] != whole[i] {
			return fmt.Sprintf("%d bytes, damaged from %d on: …%q", len(text), i, text[max(i-40, 0):min(i+80, len(text))])
		}
	}
	return fmt.Sprintf("%d bytes, cut short", len(text))
}
