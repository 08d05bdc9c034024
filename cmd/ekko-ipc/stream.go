package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// sends reports whether a method answers with many items.
func sends(m *manifest.Method) bool {
	return m != nil && (m.Stream == manifest.StreamServer || m.Stream == manifest.StreamBoth)
}

// reads reports whether a method reads items from its caller.
func reads(m *manifest.Method) bool {
	return m != nil && (m.Stream == manifest.StreamClient || m.Stream == manifest.StreamBoth)
}

// stream makes a call of a method that streams, whichever way, and prints each
// item as it comes, or the result. It ends after count items, unless that is 0.
func (c *cli) stream(ctx context.Context, client *ipc.Client, t target, data ipc.Raw, count int) error {
	// The input may turn out to be wrong while an item is waited for.
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	method := t.manifest.MethodByName(t.method)
	begin := time.Now()
	stream, err := client.StreamRaw(ctx, t.method, data)
	if err != nil {
		return t.explain(err)
	}
	defer stream.Close() // a service that goes on is told to stop
	if reads(method) {
		if c.inTerminal {
			c.note("%s reads %s: one JSON value a line, Ctrl-D after the last", t, itemsOf(method))
		}
		// It ends with the input or with ctx, but for a read that is under
		// way: that one nobody can end, and so nobody waits for it.
		go func() {
			if err := c.sendItems(ctx, stream); err != nil {
				stop(&inputError{err})
			}
		}()
	}
	received := 0
	if sends(method) {
		received, err = c.printItems(ctx, stream, count)
	} else if data, err = stream.Result(ctx); err == nil {
		err = c.printResult(data)
	}
	if wrong, ok := errors.AsType[*inputError](context.Cause(ctx)); ok && err != nil {
		return wrong.err
	}
	if err != nil {
		return t.explain(err)
	}
	c.detail("← %d items in %s", received, round(time.Since(begin)))
	return nil
}

// inputError ends a stream because of what was to be sent.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }

// printItems prints each item as it comes, and returns how many there were.
func (c *cli) printItems(ctx context.Context, stream *ipc.Stream, count int) (received int, err error) {
	for {
		item, err := stream.Recv(ctx)
		if err == io.EOF {
			return received, nil
		}
		if err != nil {
			return received, err
		}
		if err := c.printResult(item); err != nil {
			return received, err
		}
		if received++; received == count {
			return received, nil
		}
	}
}

// sendItems sends the JSON texts of standard input, one a line. The error is
// what is wrong with the input; that of the stream is found by its receiver.
func (c *cli) sendItems(ctx context.Context, stream *ipc.Stream) error {
	sent := 0
	for line, err := range jsonTexts(c.stdin, standardInput) {
		if err == nil {
			err = stream.Send(ctx, ipc.Raw(line.text))
			coded, ok := errors.AsType[*wire.Error](err)
			switch {
			case err == nil:
				sent++
				continue
			case ok && coded.Code == wire.CodeMessageTooLarge && coded.Details.Origin == wire.OriginClient:
				err = fmt.Errorf("%s, line %d: %w", standardInput, line.number, err)
			default:
				return nil
			}
		}
		if sent > 0 {
			err = hint(err, fmt.Sprintf("the %d before it were sent; the service was told to stop", sent))
		}
		return err
	}
	stream.CloseSend() // fails only with the stream
	return nil
}

// itemsOf says what a method reads.
func itemsOf(m *manifest.Method) string {
	if m.Items == nil {
		return "a stream"
	}
	return "a stream of " + m.Items.String()
}
