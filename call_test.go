package ipc_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
)

func TestCall(t *testing.T) {
	address, _ := start(t, nil)
	c := dial(t, address, nil)
	got, err := ipc.Call[user](t.Context(), c, "user", 123)
	if err != nil || got != (user{123, "Ada"}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	sum, err := ipc.Call[float64](t.Context(), c, "add", 2)
	if err != nil || sum != 3 {
		t.Errorf("a default was not filled in: got %v, %v", sum, err)
	}
	for _, form := range []struct{ method, data, want string }{
		{"user", `[123]`, `{"id":123,"name":"Ada"}`},
		{"user", `123`, `{"id":123,"name":"Ada"}`},
		{"add", `[2,3]`, `5`},
		{"add", `{"a":2,"b":4}`, `6`},
		{"echo", `{"a":2}`, `{"a":2}`},
		{"echo", `[[1,2]]`, `[1,2]`},
		{"echo", `null`, `null`},
	} {
		raw, err := c.CallRaw(t.Context(), form.method, ipc.Raw(form.data))
		if err != nil || raw.String() != form.want {
			t.Errorf("%s(%s): got %s, %v; want %s", form.method, form.data, raw, err, form.want)
		}
	}
}

// TestErrors holds the codes, and what a caller may conclude from them.
func TestErrors(t *testing.T) {
	address, _ := start(t, nil)
	c := dial(t, address, nil)
	for _, x := range []struct {
		method   string
		args     []any
		code     ipc.Code
		executed ipc.Executed
		path     string
		says     string
	}{
		{"user", []any{"abc"}, ipc.CodeSchemaMismatch, ipc.ExecutedNo, "/id", "parameter id: expected number, got string"},
		{"user", nil, ipc.CodeSchemaMismatch, ipc.ExecutedNo, "/id", "id"},
		{"user", []any{1, 2}, ipc.CodeSchemaMismatch, ipc.ExecutedNo, "", ""},
		{"user", []any{4}, ipc.CodeNotFound, ipc.ExecutedNo, "", "no user 4"},
		{"user", []any{7}, "RESPONSE_SCHEMA_MISMATCH", ipc.ExecutedYes, "/id", "id"},
		{"users", nil, ipc.CodeMethodNotFound, ipc.ExecutedNo, "", `did you mean "user"?`},
		{"absent", nil, ipc.CodeUnimplemented, ipc.ExecutedNo, "", "does not implement"},
		{"fail", []any{"panic"}, ipc.CodeHandlerFailed, ipc.ExecutedMaybe, "", "panicked"},
		{"fail", []any{"plain"}, ipc.CodeHandlerFailed, ipc.ExecutedMaybe, "", "context canceled"},
		{"fail", []any{"app"}, "APP_OUT_OF_STOCK", ipc.ExecutedYes, "", "none left"},
		{"fail", []any{"forged"}, ipc.CodeAppError, ipc.ExecutedYes, "", "who are you?"},
		{"fail", []any{"unwritable"}, "RESPONSE_SCHEMA_MISMATCH", ipc.ExecutedYes, "", "chan int"},
		{"ipc.nonsense", nil, ipc.CodeMethodNotFound, ipc.ExecutedNo, "", "hello"},
		{"bad name", nil, "INVALID_NAME", ipc.ExecutedNo, "", ""},
	} {
		_, err := c.Call(t.Context(), x.method, x.args...)
		var e *ipc.Error
		if !errors.As(err, &e) {
			t.Errorf("%s%v: got %v", x.method, x.args, err)
			continue
		}
		if e.Code != x.code || e.Details.Executed != x.executed || e.Details.Path != x.path || !strings.Contains(e.Message, x.says) {
			t.Errorf("%s%v: got %v, executed %q, path %q; want %s, %q, %q, a message with %q", x.method, x.args, e, e.Details.Executed, e.Details.Path, x.code, x.executed, x.path, x.says)
		}
		if strings.Contains(e.Message, "own business") {
			t.Errorf("%s%v: the cause of a panic was told to the caller: %v", x.method, x.args, e)
		}
	}
	if _, err := c.Call(t.Context(), "echo", 1); err != nil {
		t.Errorf("after all those errors: %v", err)
	}
}

func TestDeadline(t *testing.T) {
	address, _ := start(t, nil)
	c := dial(t, address, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Call(ctx, "wait")
	if ipc.CodeOf(err) != ipc.CodeDeadlineExceeded || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	_, err = c.Call(ctx, "wait")
	var e *ipc.Error
	if !errors.As(err, &e) || e.Details.Executed != ipc.ExecutedNo {
		t.Errorf("with the deadline passed before: %v", err)
	}
}

func TestManyCallersManyConnections(t *testing.T) {
	address, _ := start(t, nil)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			c, err := ipc.Dial(t.Context(), address, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			var calls sync.WaitGroup
			for i := range 50 {
				calls.Go(func() {
					for range 10 {
						if n, err := ipc.Call[int](t.Context(), c, "echo", i); err != nil || n != i {
							t.Errorf("got %d, %v; want %d", n, err, i)
						}
					}
				})
			}
			calls.Wait()
		})
	}
	wg.Wait()
}

func TestInterceptorsWrapBothSides(t *testing.T) {
	var mu sync.Mutex
	var order []string
	note := func(name string) ipc.Interceptor {
		return func(next ipc.Handler) ipc.Handler {
			return func(ctx context.Context, r *ipc.Request) (any, error) {
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				return next(ctx, r)
			}
		}
	}
	address, _ := start(t, &ipc.ServiceOptions{Interceptors: []ipc.Interceptor{note("service 1"), note("service 2")}})
	c := dial(t, address, &ipc.ClientOptions{Interceptors: []ipc.Interceptor{note("client 1"), note("client 2")}})
	if _, err := c.Call(t.Context(), "echo", 1); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, ", "); got != "client 1, client 2, service 1, service 2" {
		t.Errorf("the order is %s", got)
	}
}

func TestCallerIsTheKernelsWord(t *testing.T) {
	m := parse(t, manifestText)
	s := ipc.NewService(m, &ipc.ServiceOptions{Logger: quiet})
	got := make(chan ipc.Caller, 2)
	s.Handle("echo", func(_ context.Context, r *ipc.Request) (any, error) { got <- r.Caller; return nil, nil })
	ipc.Handle(s, "wait", func(ctx context.Context, _ any) (any, error) { got <- ipc.CallerOf(ctx); return nil, nil })
	address := serve(t, s)
	c := dial(t, address, nil)
	for _, method := range []string{"echo", "wait"} {
		args := map[string][]any{"echo": {1}}[method]
		if _, err := c.Call(t.Context(), method, args...); err != nil {
			t.Fatal(err)
		}
		caller := <-got
		if !isMe(caller.Known, caller.UID, caller.SID) || int(caller.PID) != pid() {
			t.Errorf("%s: the caller is %v", method, caller)
		}
	}
}

func TestServiceThatIsGone(t *testing.T) {
	address := localAddress(t)
	_, err := ipc.Dial(t.Context(), address, nil)
	var e *ipc.Error
	if !errors.As(err, &e) || e.Code != ipc.CodeServiceUnavailable || e.Details.Executed != ipc.ExecutedNo {
		t.Fatalf("got %v", err)
	}
}

func TestMistakesOfSettingUpAreReportedByServe(t *testing.T) {
	handler := func(context.Context, *ipc.Request) (any, error) { return nil, nil }
	for want, set := range map[string]func(*ipc.Service){
		`declares no method "ecko"; did you mean "echo"?`: func(s *ipc.Service) { s.Handle("ecko", handler) },
		`has a handler already`:                           func(s *ipc.Service) { s.Handle("echo", handler); s.Handle("echo", handler) },
		`is nil`:                                          func(s *ipc.Service) { s.Handle("echo", nil) },
	} {
		s := ipc.NewService(parse(t, manifestText), nil)
		set(s)
		if err := s.Serve(t.Context(), localAddress(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %s", err, want)
		}
	}
}
