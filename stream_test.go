package ipc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"testing"

	"github.com/ekkojs/ipc"
)

const streamingManifest = `{
  "service": {"name": "streaming", "version": "1.0.0"},
  "methods": {
    "count": {"parameters": [{"name": "to", "type": "integer"}], "stream": "server", "returns": {"type": "integer"}},
    "wrong": {"parameters": [], "stream": "server", "returns": {"type": "integer"}},
    "answers": {"parameters": [], "stream": "server"},
    "sum": {"parameters": [{"name": "start", "type": "integer", "default": 0}], "stream": "client", "items": {"type": "integer"}, "returns": {"type": "integer"}},
    "double": {"parameters": [], "stream": "both", "items": {"type": "integer"}, "returns": {"type": "integer"}},
    "plain": {"parameters": []}
  }
}`

// countTo returns the numbers from 1, and fails after to of them if that is
// negative.
func countTo(ctx context.Context, to int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range max(to, -to) {
			if !yield(i+1, nil) {
				return
			}
		}
		if to < 0 {
			yield(0, ipc.Errorf("APP_ENOUGH", "no more"))
		}
	}
}

func serveStreaming(t testing.TB) *ipc.Client {
	s := ipc.NewService(parse(t, streamingManifest), &ipc.ServiceOptions{Logger: quiet})
	ipc.HandleStream(s, "count", countTo)
	s.Handle("wrong", func(ctx context.Context, r *ipc.Request) (any, error) { return nil, r.Send(ctx, "one") })
	s.Handle("answers", func(ctx context.Context, r *ipc.Request) (any, error) { return 1, nil })
	ipc.HandleItems(s, "sum", func(ctx context.Context, r *ipc.Request, items iter.Seq2[int, error]) (int, error) {
		var sum int
		if err := r.Decode(&sum); err != nil {
			return 0, err
		}
		for n, err := range items {
			if err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	})
	s.Handle("double", func(ctx context.Context, r *ipc.Request) (any, error) {
		for item, err := range r.Items(ctx) {
			var n int
			if err == nil {
				err = item.Decode(&n)
			}
			if err == nil {
				err = r.Send(ctx, 2*n)
			}
			if err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	s.Handle("plain", func(ctx context.Context, r *ipc.Request) (any, error) { return nil, r.Send(ctx, 1) })
	return dial(t, serve(t, s), nil)
}

func TestStreamOfItems(t *testing.T) {
	c := serveStreaming(t)
	want := 0
	for n, err := range ipc.StreamOf[int](t.Context(), c, "count", 10_000) {
		if want++; err != nil || n != want {
			t.Fatalf("got %d, %v; want %d", n, err, want)
		}
	}
	if want != 10_000 {
		t.Errorf("got %d items", want)
	}
	for n := range ipc.StreamOf[int](t.Context(), c, "count", 1_000_000) {
		if n == 3 {
			break // the service is told to stop
		}
	}
	if _, err := c.Ping(t.Context()); err != nil {
		t.Errorf("after a stream that was left: %v", err)
	}
}

func TestStreamErrors(t *testing.T) {
	c := serveStreaming(t)
	for _, x := range []struct {
		method   string
		args     []any
		items    int
		code     ipc.Code
		executed ipc.Executed
	}{
		{"count", []any{-3}, 3, "APP_ENOUGH", ipc.ExecutedYes},
		{"count", []any{"three"}, 0, ipc.CodeSchemaMismatch, ipc.ExecutedNo},
		{"counts", nil, 0, ipc.CodeMethodNotFound, ipc.ExecutedNo},
		{"wrong", nil, 0, "RESPONSE_SCHEMA_MISMATCH", ipc.ExecutedYes},
		{"answers", nil, 0, "RESPONSE_SCHEMA_MISMATCH", ipc.ExecutedYes},
		{"plain", nil, 0, "RESPONSE_SCHEMA_MISMATCH", ipc.ExecutedYes},
	} {
		items := 0
		var last error
		for _, err := range ipc.StreamOf[int](t.Context(), c, x.method, x.args...) {
			if last = err; err == nil {
				items++
			}
		}
		if e, _ := errors.AsType[*ipc.Error](last); items != x.items || e == nil || e.Code != x.code || e.Details.Executed != x.executed {
			t.Errorf("%s%v: %d items and %v; want %d and %s, executed %s", x.method, x.args, items, last, x.items, x.code, x.executed)
		}
	}
	if _, err := c.Call(t.Context(), "count", 3); ipc.CodeOf(err) != "PROTOCOL_ERROR" {
		t.Errorf("a stream called for one result: %v", err)
	}
}

func TestItemsOfAClient(t *testing.T) {
	c := serveStreaming(t)
	stream, err := c.Stream(t.Context(), "sum", 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if err := stream.Send(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	var sum int
	if result, err := stream.Result(t.Context()); err != nil || result.Decode(&sum) != nil || sum != 100+4999*5000/2 {
		t.Errorf("got %s, %v", result, err)
	}

	wrong, err := c.Stream(t.Context(), "sum")
	if err != nil {
		t.Fatal(err)
	}
	if err := wrong.Send(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	_, err = wrong.Result(t.Context())
	if d := detailsOf(t, err); ipc.CodeOf(err) != ipc.CodeSchemaMismatch || d.Executed != ipc.ExecutedMaybe {
		t.Errorf("an item that does not fit: %v, executed %q", err, d.Executed)
	}
}

func TestBothStream(t *testing.T) {
	c := serveStreaming(t)
	stream, err := c.Stream(t.Context(), "double")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 { // in turns
		if err := stream.Send(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		if item, err := stream.Recv(t.Context()); err != nil || item.String() != fmt.Sprint(2*i) {
			t.Fatalf("got %s, %v", item, err)
		}
	}
	stream.CloseSend()
	if _, err := stream.Recv(t.Context()); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
}

func TestInterceptorsSeeStreams(t *testing.T) {
	var seen []string
	c := serveStreaming(t)
	watching := dial(t, c.Address(), &ipc.ClientOptions{Interceptors: []ipc.Interceptor{func(next ipc.Handler) ipc.Handler {
		return func(ctx context.Context, r *ipc.Request) (any, error) {
			seen = append(seen, r.Method)
			return next(ctx, r)
		}
	}}})
	for _, err := range ipc.StreamOf[int](t.Context(), watching, "count", 1) {
		if err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(seen, []string{"count"}) {
		t.Errorf("seen: %v", seen)
	}
}

func TestBatch(t *testing.T) {
	address, _ := start(t, nil)
	c := dial(t, address, &ipc.ClientOptions{MaxPending: 64, MaxFrame: 16 << 10})
	var calls []ipc.BatchCall
	for i := range 1000 {
		calls = append(calls, ipc.BatchCall{Method: "echo", Args: []any{i}})
	}
	calls[10] = ipc.BatchCall{Method: "fail", Args: []any{"app"}}
	calls[20] = ipc.BatchCall{Method: "not a name"}
	calls[30] = ipc.BatchCall{Method: "echo", Args: []any{string(make([]byte, 20<<10))}}
	calls[40] = ipc.BatchCall{Method: "echo", Args: []any{make(chan int)}}
	calls[50] = ipc.BatchCall{Method: "fail", Args: []any{"panic"}}
	want := map[int]ipc.Code{10: "APP_OUT_OF_STOCK", 20: "INVALID_NAME", 30: "MESSAGE_TOO_LARGE", 40: ipc.CodeInvalidArgument, 50: ipc.CodeHandlerFailed}
	outcomes, err := c.Batch(t.Context(), calls)
	if err != nil || len(outcomes) != len(calls) {
		t.Fatalf("%d outcomes, %v", len(outcomes), err)
	}
	for i, o := range outcomes {
		var n int
		switch {
		case ipc.CodeOf(o.Err) != want[i]:
			t.Errorf("call %d: got %v, want %q", i, o.Err, want[i])
		case o.Err == nil && (o.Decode(&n) != nil || n != i):
			t.Errorf("call %d: got %s", i, o.Data)
		}
	}
	if outcomes, err := c.Batch(t.Context(), nil); err != nil || len(outcomes) != 0 {
		t.Errorf("no calls: %v, %v", outcomes, err)
	}
}

func TestACancelledBatchEndsAllItsCalls(t *testing.T) {
	address, _ := start(t, nil)
	c := dial(t, address, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		outcomes, err := c.Batch(ctx, []ipc.BatchCall{{Method: "echo", Args: []any{1}}, {Method: "wait"}, {Method: "wait"}})
		if err != nil {
			t.Error(err)
			return
		}
		for i, o := range outcomes {
			if want := []ipc.Code{"", ipc.CodeCancelled, ipc.CodeCancelled}[i]; ipc.CodeOf(o.Err) != want {
				t.Errorf("call %d: %v", i, o.Err)
			}
		}
	})
	waitUntilRunning(t, c, 3)
	cancel()
	wg.Wait()
}

// waitUntilRunning waits until the service has begun so many requests, itself
// asked for it among them.
func waitUntilRunning(t testing.TB, c *ipc.Client, requests int) {
	t.Helper()
	for {
		raw, err := c.Call(t.Context(), "ipc.stats")
		var stats struct {
			Requests int `json:"requests"`
		}
		if err != nil || raw.Decode(&stats) != nil {
			t.Fatal(err)
		}
		if stats.Requests >= requests {
			return
		}
	}
}

func TestNotifyIsCarriedOutAndNotAnswered(t *testing.T) {
	got := make(chan string, 1)
	c := serveActing(t, nil, func(_ context.Context, r *ipc.Request) (any, error) {
		got <- r.Data.String()
		return nil, errors.New("nobody hears that")
	})
	if err := c.Notify(t.Context(), "act", 1, "two"); err != nil {
		t.Fatal(err)
	}
	if data := <-got; data != `[1,"two"]` {
		t.Errorf("got %s", data)
	}
	if err := c.Notify(t.Context(), "no such thing"); ipc.CodeOf(err) != "INVALID_NAME" {
		t.Errorf("got %v", err)
	}
}

func TestAServiceCallsItsClient(t *testing.T) {
	s := ipc.NewService(parse(t, lonely), &ipc.ServiceOptions{Logger: quiet})
	ipc.Handle(s, "act", func(ctx context.Context, method string) (ipc.Raw, error) {
		return ipc.PeerOf(ctx).Call(ctx, method, "tea", 2)
	})
	address := serve(t, s)
	c := dial(t, address, &ipc.ClientOptions{Methods: map[string]ipc.Handler{
		"advise": func(ctx context.Context, r *ipc.Request) (any, error) {
			var what string
			var cups int
			if err := r.Decode(&what, &cups); err != nil {
				return nil, err
			}
			return fmt.Sprint(cups, " cups of ", what), nil
		},
		"fail":  func(context.Context, *ipc.Request) (any, error) { return nil, ipc.Errorf(ipc.CodeConflict, "not now") },
		"panic": func(context.Context, *ipc.Request) (any, error) { panic("the client's own business") },
	}, Logger: quiet})
	for range 20 { // with the calls of others under way
		if raw, err := c.Call(t.Context(), "act", "advise"); err != nil || raw.String() != `"2 cups of tea"` {
			t.Fatalf("got %s, %v", raw, err)
		}
	}
	if raw, err := c.Call(t.Context(), "act", "ipc.ping"); err != nil || raw.String() != `["tea",2]` {
		t.Errorf("a ping back: %s, %v", raw, err)
	}
	for method, want := range map[string]ipc.Code{"fail": ipc.CodeConflict, "panic": ipc.CodeHandlerFailed, "advice": ipc.CodeAppError} {
		_, err := c.Call(t.Context(), "act", method)
		if d := detailsOf(t, err); ipc.CodeOf(err) != want || d.Executed == ipc.ExecutedNo {
			t.Errorf("%s: got %v, executed %q", method, err, d.Executed)
		}
	}
	_, err := dial(t, address, nil).Call(t.Context(), "act", "advise")
	if d := detailsOf(t, err); ipc.CodeOf(err) != ipc.CodeAppError || d.Executed == ipc.ExecutedNo {
		t.Errorf("a client that offers nothing: %v, executed %q", err, d.Executed)
	}
}
