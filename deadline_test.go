package ipc_test

import (
	"context"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
)

// TestDeadlineIsPassedOn calls a service that calls another: the second one
// is given what the first one has left, not the 30 seconds of a new call.
func TestDeadlineIsPassedOn(t *testing.T) {
	last := ipc.NewService(parse(t, manifestText), &ipc.ServiceOptions{Logger: quiet})
	last.HandleDefault(func(ctx context.Context, _ *ipc.Request) (any, error) {
		at, ok := ctx.Deadline()
		if !ok {
			return nil, ipc.Errorf(ipc.CodeInternal, "the handler has no deadline")
		}
		return time.Until(at).Milliseconds(), nil
	})
	onward := dial(t, serve(t, last), nil)

	first := ipc.NewService(parse(t, manifestText), &ipc.ServiceOptions{Logger: quiet})
	first.HandleDefault(func(ctx context.Context, _ *ipc.Request) (any, error) {
		return onward.Call(ctx, "echo", 1)
	})
	c := dial(t, serve(t, first), nil)

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	left, err := ipc.Call[int](ctx, c, "echo", 1)
	if err != nil || left <= 0 || left > 5001 {
		t.Errorf("the last service has %d ms (%v), want at most 5 s", left, err)
	}
}
