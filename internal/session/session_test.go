package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// handler is a Handler made of functions; nil ones do nothing.
type handler struct {
	request func(*Inbound)
	event   func(*Inbound)
	stray   func([]byte, *wire.Error)
}

func (h handler) Request(in *Inbound) {
	if h.request != nil {
		h.request(in)
	}
}

func (h handler) Event(in *Inbound) {
	if h.event != nil {
		h.event(in)
	}
}

func (h handler) Stray(id []byte, err *wire.Error) {
	if h.stray != nil {
		h.stray(id, err)
	}
}

func echo(in *Inbound) { in.Reply(in.Data) }

// pair connects a client to a service that runs h, over conns.
func pair(t testing.TB, h Handler, client, service transport.Conn, opts Options) (*Session, *Session) {
	t.Helper()
	w := &Watchdog{}
	opts.Inline, opts.Watchdog, opts.Origin = true, w, wire.OriginService
	s := New(service, h, opts)
	c := New(client, handler{}, Options{})
	t.Cleanup(func() {
		c.Close()
		s.Close()
		w.Stop()
	})
	return c, s
}

func memPair(t testing.TB, h Handler) (*Session, *Session) {
	a, b := transport.Pair(nil)
	return pair(t, h, a, b, Options{})
}

func request(data string) *Request {
	return &Request{Type: wire.TypeRequest, Channel: []byte("test.echo"), Action: []byte("echo"), Data: []byte(data)}
}

func TestCallReturnsTheAnswer(t *testing.T) {
	c, _ := memPair(t, handler{request: echo})
	for i := range 100 {
		want := fmt.Sprintf(`[%d]`, i)
		got, err := c.Call(t.Context(), request(want))
		if err != nil || string(got) != want {
			t.Fatalf("call %d: got %s, %v", i, got, err)
		}
	}
}

func TestManyCallersEachGetTheirOwnAnswer(t *testing.T) {
	c, _ := memPair(t, handler{request: echo})
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			for j := range 50 {
				want := fmt.Sprintf(`[%d,%d]`, i, j)
				got, err := c.Call(t.Context(), request(want))
				if err != nil || string(got) != want {
					t.Errorf("got %s, %v; want %s", got, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestTenThousandCallsAtOnceWaitForTheirTurn(t *testing.T) {
	c, _ := memPair(t, handler{request: echo})
	var wg sync.WaitGroup
	errs := make(chan error, 10000)
	for range 10000 {
		wg.Go(func() {
			if _, err := c.Call(t.Context(), request(`[1]`)); err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Fatal(err)
	}
	if n := len(c.calls.slots); n > DefaultMaxPending {
		t.Errorf("%d slots; the bound is %d", n, DefaultMaxPending)
	}
}

func TestDeadlineEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released := make(chan struct{})
		c, _ := memPair(t, handler{request: func(in *Inbound) {
			var ctx Context
			in.Start(&ctx)
			<-ctx.Done()
			close(released)
			ctx.End()
		}})
		began := time.Now()
		req := request(`[1]`)
		req.Timeout = 3 * time.Second
		_, err := c.Call(t.Context(), req)
		if wire.CodeOf(err) != wire.CodeDeadlineExceeded {
			t.Fatalf("got %v", err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
		var e *wire.Error
		if errors.As(err, &e); e.Details.Executed != wire.ExecutedMaybe {
			t.Errorf("executed is %q", e.Details.Executed)
		}
		<-released // the handler's context ended too
	})
}

func TestCancelReachesTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered, ended := make(chan struct{}), make(chan error, 1)
		c, _ := memPair(t, handler{request: func(in *Inbound) {
			var ctx Context
			in.Start(&ctx)
			close(entered)
			<-ctx.Done()
			ended <- ctx.Err()
			ctx.End()
		}})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-entered
			cancel()
		}()
		_, err := c.Call(ctx, request(`[1]`))
		if wire.CodeOf(err) != wire.CodeCancelled || !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		if err := <-ended; err != context.Canceled {
			t.Errorf("the handler saw %v", err)
		}
	})
}

func TestSlowHandlerDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c, _ := memPair(t, handler{request: func(in *Inbound) {
			if string(in.Data) == `["slow"]` {
				<-release
			}
			in.Reply(in.Data)
		}})
		slow := make(chan []byte)
		go func() {
			data, _ := c.Call(t.Context(), request(`["slow"]`))
			slow <- data
		}()
		synctest.Wait()
		began := time.Now()
		if _, err := c.Call(t.Context(), request(`["quick"]`)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 3*watchTick {
			t.Errorf("the quick call took %v", took)
		}
		close(release)
		if data := <-slow; string(data) != `["slow"]` {
			t.Errorf("the slow call got %s: its frame was written over", data)
		}
	})
}

func TestGoRunsBesideTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c, _ := memPair(t, handler{request: func(in *Inbound) {
			in.Go(func(in *Inbound) {
				<-release
				in.Reply(in.Data)
			})
		}})
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				want := fmt.Sprintf("[%d]", i)
				if got, err := c.Call(t.Context(), request(want)); err != nil || string(got) != want {
					t.Errorf("got %s, %v", got, err)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
	})
}

func TestTooManyAtOnceAreToldQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a, b := transport.Pair(nil)
		c, _ := pair(t, handler{request: func(in *Inbound) {
			in.Go(func(in *Inbound) { <-release; in.Reply(nil) })
		}}, a, b, Options{MaxInFlight: 4})
		codes := make(chan wire.Code, 6)
		for range 6 {
			go func() {
				_, err := c.Call(t.Context(), request(`[1]`))
				codes <- wire.CodeOf(err)
			}()
		}
		synctest.Wait()
		for range 2 {
			if code := <-codes; code != wire.CodeQueueFull {
				t.Errorf("got %q", code)
			}
		}
		close(release)
		for range 4 {
			if code := <-codes; code != "" {
				t.Errorf("got %q", code)
			}
		}
	})
}

func TestLostConnectionFailsWhatIsOutstanding(t *testing.T) {
	entered := make(chan struct{}, 1)
	hang := make(chan struct{})
	a, b := transport.Pair(nil)
	c, _ := pair(t, handler{request: func(in *Inbound) { entered <- struct{}{}; <-hang }}, a, b, Options{})
	t.Cleanup(func() { close(hang) })
	failed := make(chan error)
	go func() {
		_, err := c.Call(t.Context(), request(`[1]`))
		failed <- err
	}()
	<-entered
	b.Close()
	err := <-failed
	var e *wire.Error
	if !errors.As(err, &e) || e.Code != wire.CodeConnectionLost || e.Details.Executed != wire.ExecutedMaybe {
		t.Fatalf("got %v", err)
	}
	_, err = c.Call(t.Context(), request(`[1]`))
	if !errors.As(err, &e) || e.Details.Executed != wire.ExecutedNo {
		t.Fatalf("a call after the end: %v", err)
	}
}

func TestLargeAnswerIsNotOverwritten(t *testing.T) {
	c, _ := memPair(t, handler{request: echo})
	big := append(append([]byte(`["`), bytes.Repeat([]byte("x"), 700<<10)...), `"]`...)
	first, err := c.Call(t.Context(), &Request{Type: wire.TypeRequest, Channel: []byte("test.echo"), Data: big})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := c.Call(t.Context(), request(`["zzzzzzzzzzzzz"]`)); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first, big) {
		t.Error("the answer changed after it was returned")
	}
}

func TestTooLargeAMessageIsRefusedBeforeItLeaves(t *testing.T) {
	c, _ := memPair(t, handler{request: echo})
	big := append(append([]byte(`["`), bytes.Repeat([]byte("x"), transport.DefaultMaxFrame)...), `"]`...)
	_, err := c.Call(t.Context(), &Request{Type: wire.TypeRequest, Data: big})
	var e *wire.Error
	if !errors.As(err, &e) || e.Code != wire.CodeMessageTooLarge || e.Details.Executed != wire.ExecutedNo {
		t.Fatalf("got %v", err)
	}
	if _, err := c.Call(t.Context(), request(`[1]`)); err != nil {
		t.Fatalf("the next call: %v", err)
	}
}

func TestDrainLetsRunningRequestsFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c, s := memPair(t, handler{request: func(in *Inbound) {
			if string(in.Data) == `["slow"]` {
				<-release
			}
			in.Reply(in.Data)
		}})
		answered := make(chan error)
		go func() {
			_, err := c.Call(t.Context(), request(`["slow"]`))
			answered <- err
		}()
		synctest.Wait()
		if _, err := c.Call(t.Context(), request(`[1]`)); err != nil { // the reading is handed over
			t.Fatal(err)
		}
		drained := make(chan error)
		go func() { drained <- s.Drain(t.Context()) }()
		synctest.Wait()
		if _, err := c.Call(t.Context(), request(`[2]`)); wire.CodeOf(err) != wire.CodeShuttingDown {
			t.Errorf("a new call got %v", err)
		}
		close(release)
		if err := <-answered; err != nil {
			t.Errorf("the running call got %v", err)
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
	})
}

func TestIdleConnectionIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pair(nil)
		c, _ := pair(t, handler{request: echo}, a, b, Options{})
		if _, err := c.Call(t.Context(), request(`[1]`)); err != nil {
			t.Fatal(err)
		}
		b.Close()
		<-c.Done() // although nobody calls
	})
}
