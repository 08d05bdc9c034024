package ipc_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ekkojs/ipc"
)

const lonely = `{"service": {"name": "lonely", "version": "1.0.0"}, "methods": {"act": {}}}`

// serveActing serves a method "act" that is h.
func serveActing(t *testing.T, opts *ipc.ServiceOptions, h ipc.Handler) *ipc.Client {
	if opts == nil {
		opts = &ipc.ServiceOptions{}
	}
	opts.Logger = quiet
	s := ipc.NewService(parse(t, lonely), opts)
	s.Handle("act", h)
	return dial(t, serve(t, s), nil)
}

func detailsOf(t *testing.T, err error) ipc.Details {
	t.Helper()
	e, ok := errors.AsType[*ipc.Error](err)
	if !ok {
		t.Fatalf("got %v, want an *ipc.Error", err)
	}
	return e.Details
}

func TestWhatACallWithinAHandlerSaysIsNotPassedOn(t *testing.T) {
	address, _ := start(t, nil)
	onward := dial(t, address, nil)
	c := serveActing(t, nil, func(ctx context.Context, _ *ipc.Request) (any, error) {
		return onward.Call(ctx, "user", "no number") // SCHEMA_MISMATCH, executed no
	})
	_, err := c.Call(t.Context(), "act")
	if d := detailsOf(t, err); ipc.CodeOf(err) != ipc.CodeSchemaMismatch || d.Executed != ipc.ExecutedMaybe || d.Retryable {
		t.Errorf("got %v, executed %q, retryable %v", err, d.Executed, d.Retryable)
	}
}

func TestAnInterceptorThatRefusesHasNotExecuted(t *testing.T) {
	refuse := func(ipc.Handler) ipc.Handler {
		return func(context.Context, *ipc.Request) (any, error) {
			return nil, ipc.Errorf(ipc.CodePermissionDenied, "not you")
		}
	}
	c := serveActing(t, &ipc.ServiceOptions{Interceptors: []ipc.Interceptor{refuse}}, func(context.Context, *ipc.Request) (any, error) {
		t.Error("the handler ran")
		return nil, nil
	})
	_, err := c.Call(t.Context(), "act")
	if d := detailsOf(t, err); d.Executed != ipc.ExecutedNo {
		t.Errorf("got %v, executed %q", err, d.Executed)
	}
}

// nested returns a value that is lists all the way down.
func nested(depth int) any {
	var v any = 1
	for range depth {
		v = []any{v}
	}
	return v
}

func TestAResultThatNobodyCanReadIsToldApart(t *testing.T) {
	c := serveActing(t, nil, func(context.Context, *ipc.Request) (any, error) { return nested(70), nil })
	for range 20 { // more than the malformed messages that are borne with
		_, err := c.Call(t.Context(), "act")
		if d := detailsOf(t, err); ipc.CodeOf(err) != "RESPONSE_SCHEMA_MISMATCH" || d.Executed != ipc.ExecutedYes {
			t.Fatalf("got %v, executed %q", err, d.Executed)
		}
	}
	if _, err := c.Call(t.Context(), "act", nested(70)); detailsOf(t, err).Executed != ipc.ExecutedNo {
		t.Errorf("arguments too deep: %v", err)
	}
}

func TestARefusalTooLongToTravelStaysARefusal(t *testing.T) {
	address, _ := start(t, nil)
	got := say(t, address, `{"type":"`+strings.Repeat(`\"`, 300000)+`","messageId":"1"}`)
	if len(got) != 1 || got[0].Error == nil || got[0].Error.Code != "PROTOCOL_ERROR" || got[0].Error.Details["executed"] != "no" {
		t.Errorf("got %d answers, %+v", len(got), got)
	}
}

func TestAnInterceptorThatRefusesTooLateHasExecuted(t *testing.T) {
	for _, code := range []ipc.Code{ipc.CodePermissionDenied, ipc.CodeNotFound} {
		late := func(next ipc.Handler) ipc.Handler {
			return func(ctx context.Context, r *ipc.Request) (any, error) {
				if _, err := next(ctx, r); err != nil {
					return nil, err
				}
				return nil, ipc.Errorf(code, "not any more")
			}
		}
		c := serveActing(t, &ipc.ServiceOptions{Interceptors: []ipc.Interceptor{late}}, func(context.Context, *ipc.Request) (any, error) { return 1, nil })
		_, err := c.Call(t.Context(), "act")
		if d := detailsOf(t, err); d.Executed != ipc.ExecutedYes {
			t.Errorf("got %v, executed %q", err, d.Executed)
		}
	}
}
