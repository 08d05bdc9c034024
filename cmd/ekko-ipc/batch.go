package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/wire"
)

// batchOf is call --batch: words name the service, and file holds the calls.
func (c *cli) batchOf(cmd *cobra.Command, words []string, file string) error {
	t, err := parseService(words[0])
	if err != nil {
		return asUsage(err, cmd)
	}
	if len(words) > 1 {
		return &usageError{fmt.Errorf("unexpected %q after SERVICE: the calls of a batch are in its file", unshield(words[1])), cmd}
	}
	calls, err := c.readBatch(file)
	if err != nil {
		return err
	}
	return c.batch(cmd.Context(), t, calls)
}

// batchCall is a call of a batch, and the line that asks for it.
type batchCall struct {
	ipc.BatchCall
	where string
}

// readBatch reads the calls of a batch, all of them before any is made.
func (c *cli) readBatch(file string) ([]batchCall, error) {
	input, source := c.stdin, standardInput
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, &usageError{err: err}
		}
		defer opened.Close()
		input, source = io.Reader(opened), file
	}
	var calls []batchCall
	for line, err := range jsonTexts(input, source) {
		if err != nil {
			return nil, err
		}
		call, err := parseBatchCall(line.text)
		if err != nil {
			return nil, hint(badLine(source, line.number, err), `a line is ["METHOD",ARG…] or {"method":"METHOD","args":[…]}`)
		}
		calls = append(calls, batchCall{call, fmt.Sprintf("%s, line %d", source, line.number)})
	}
	return calls, nil
}

// parseBatchCall reads a line of a batch, either of its two forms.
func parseBatchCall(text []byte) (call ipc.BatchCall, err error) {
	var args []json.RawMessage
	switch text[0] {
	case '[':
		var parts []json.RawMessage
		if err := json.Unmarshal(text, &parts); err != nil {
			return call, err
		}
		if len(parts) == 0 || json.Unmarshal(parts[0], &call.Method) != nil {
			return call, errors.New("it does not begin with the name of a method")
		}
		args = parts[1:]
	case '{':
		var named struct {
			Method string            `json:"method"`
			Args   []json.RawMessage `json:"args"`
		}
		members := json.NewDecoder(bytes.NewReader(text))
		members.DisallowUnknownFields()
		if err := members.Decode(&named); err != nil {
			return call, err
		}
		call.Method, args = named.Method, named.Args
	default:
		return call, errors.New("it is no call")
	}
	for _, arg := range args {
		call.Args = append(call.Args, arg)
	}
	return call, wire.CheckName(call.Method)
}

// outcomeJSON is a line of call --batch.
type outcomeJSON struct {
	Data  json.RawMessage `json:"data,omitempty"`
	Error *errorJSON      `json:"error,omitempty"`
}

// batch makes the calls in one message and prints what came of each. The exit
// status of a batch of which some failed is that of all failures, or 1 if they
// differ.
func (c *cli) batch(ctx context.Context, t target, calls []batchCall) error {
	ctx, cancel := c.deadline(ctx, usualTimeout)
	defer cancel()
	client, err := c.dial(ctx, &t, nil)
	if err != nil {
		return err
	}
	defer client.Close()

	t.learn(ctx, client)
	batch := make([]ipc.BatchCall, len(calls))
	for i, call := range calls {
		if method := t.manifest.MethodByName(call.Method); sends(method) || reads(method) {
			return hint(&usageError{err: fmt.Errorf("%s: %s streams, and a batch holds calls that answer once", call.where, call.Method)},
				"call it by itself: ekko-ipc call "+target{service: t.service, method: call.Method}.String())
		}
		batch[i] = call.BatchCall
	}
	begin := time.Now()
	outcomes, err := client.Batch(ctx, batch)
	if err != nil {
		return t.explain(err)
	}
	c.detail("← %d outcomes in %s", len(outcomes), round(time.Since(begin)))
	failures, status := 0, exitOK
	for _, outcome := range outcomes {
		if err := c.printOutcome(outcome); err != nil {
			return err
		}
		if outcome.Err == nil {
			continue
		}
		if failures++; failures == 1 {
			status = exitStatus(outcome.Err)
		} else if status != exitStatus(outcome.Err) {
			status = exitFailed
		}
	}
	switch {
	case failures == 0:
		return nil
	case signalled(ctx) != nil:
		return signalled(ctx)
	}
	c.note("%d of %d failed", failures, len(outcomes))
	return statusError(status)
}

func (c *cli) printOutcome(o ipc.Outcome) error {
	line := outcomeJSON{Data: json.RawMessage(o.Data)}
	if o.Err != nil {
		line.Data, line.Error = nil, newErrorJSON(o.Err)
	} else if len(line.Data) == 0 {
		line.Data = json.RawMessage("null")
	}
	text, err := encode(line)
	if err != nil {
		return err
	}
	return c.print(paintJSON(string(text), c.out()))
}
