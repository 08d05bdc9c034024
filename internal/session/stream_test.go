package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// streaming is a Handler whose requests all stream.
func streaming(handle func(ctx context.Context, in *Inbound)) handler {
	return handler{request: func(in *Inbound) {
		in.Streams()
		in.Go(func(in *Inbound) {
			var ctx Context
			in.Start(&ctx)
			defer ctx.End()
			handle(&ctx, in)
		})
	}}
}

func open(t *testing.T, s *Session) *Stream {
	t.Helper()
	st, err := s.Open(t.Context(), request(`[]`))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	return st
}

func sendJSON(ctx context.Context, st *Stream, json []byte) error {
	text := NewText(len(json))
	defer text.Release()
	text.Set(func(dst []byte) ([]byte, error) { return append(dst, json...), nil })
	return st.Send(ctx, text)
}

func codeAndExecuted(err error) (wire.Code, wire.Executed) {
	e, _ := errors.AsType[*wire.Error](err)
	if e == nil {
		return "", ""
	}
	return e.Code, e.Details.Executed
}

func TestItemsArriveInOrderAndEndOnce(t *testing.T) {
	const items = 5000 // many windows
	c, _ := memPair(t, streaming(func(ctx context.Context, in *Inbound) {
		for i := range items {
			err := sendJSON(ctx, in.Stream(), fmt.Appendf(nil, "%d", i))
			if err != nil && string(in.Data) == "[]" {
				t.Errorf("sending item %d: %v", i, err)
			}
			if err != nil {
				return
			}
		}
		in.Reply(nil)
	}))
	st := open(t, c)
	for i := range items {
		item, err := st.Recv(t.Context())
		if err != nil || string(item) != fmt.Sprint(i) {
			t.Fatalf("item %d: got %s, %v", i, item, err)
		}
	}
	for range 2 {
		if item, err := st.Recv(t.Context()); err != io.EOF {
			t.Fatalf("after the last item: %s, %v", item, err)
		}
	}
	if _, err := c.Call(t.Context(), request(`["plain"]`)); wire.CodeOf(err) != wire.CodeProtocolError {
		t.Errorf("a plain call of a method that streams: %v", err)
	}
}

func TestAReaderThatStallsStallsItsOwnStreamOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := map[string]int{}
		var mu sync.Mutex
		item := []byte(`"` + strings.Repeat("x", 1022) + `"`)
		c, _ := memPair(t, handler{request: func(in *Inbound) {
			if string(in.Data) == `["plain"]` {
				in.Reply(in.Data)
				return
			}
			streaming(func(ctx context.Context, in *Inbound) {
				for range 2000 {
					if sendJSON(ctx, in.Stream(), item) != nil {
						return
					}
					mu.Lock()
					sent[string(in.Data)]++
					mu.Unlock()
				}
				in.Reply(nil)
			}).Request(in)
		}})
		stalled, err := c.Open(t.Context(), request(`["stalled"]`))
		if err != nil {
			t.Fatal(err)
		}
		healthy, err := c.Open(t.Context(), request(`["healthy"]`))
		if err != nil {
			t.Fatal(err)
		}
		received := 0
		for {
			if _, err := healthy.Recv(t.Context()); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			received++
		}
		synctest.Wait()
		if _, err := c.Call(t.Context(), request(`["plain"]`)); err != nil {
			t.Errorf("a plain call beside it: %v", err)
		}
		if received != 2000 || sent[`["stalled"]`] != StreamWindow/1024 {
			t.Errorf("the healthy stream brought %d items; the stalled one sent %d, want the %d of one window", received, sent[`["stalled"]`], StreamWindow/1024)
		}
		stalled.Close()
	})
}

func TestAClientStreamIsTakenAndAnswered(t *testing.T) {
	c, _ := memPair(t, streaming(func(ctx context.Context, in *Inbound) {
		bytes, n := 0, 0
		for {
			item, err := in.Stream().Recv(ctx)
			if err == io.EOF {
				in.Reply(fmt.Appendf(nil, "[%d,%d]", n, bytes))
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			n, bytes = n+1, bytes+len(item)
		}
	}))
	st := open(t, c)
	item := []byte(`"` + strings.Repeat("y", 98) + `"`)
	for range 3000 {
		if err := sendJSON(t.Context(), st, item); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := sendJSON(t.Context(), st, item); err != io.ErrClosedPipe {
		t.Errorf("sending after the end: %v", err)
	}
	if result, err := st.Result(t.Context()); err != nil || string(result) != "[3000,300000]" {
		t.Errorf("got %s, %v", result, err)
	}
}

func TestBothDirectionsAtOnce(t *testing.T) {
	c, _ := memPair(t, streaming(func(ctx context.Context, in *Inbound) {
		for {
			item, err := in.Stream().Recv(ctx)
			if err != nil {
				in.Reply(nil)
				return
			}
			if err := sendJSON(ctx, in.Stream(), item); err != nil {
				t.Error(err)
			}
		}
	}))
	st := open(t, c)
	const items = 3000
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range items {
			if err := sendJSON(t.Context(), st, fmt.Appendf(nil, "%d", i)); err != nil {
				t.Error(err)
				return
			}
		}
		st.CloseSend()
	})
	for i := range items {
		if item, err := st.Recv(t.Context()); err != nil || string(item) != fmt.Sprint(i) {
			t.Fatalf("echo %d: got %s, %v", i, item, err)
		}
	}
	if _, err := st.Recv(t.Context()); err != io.EOF {
		t.Error(err)
	}
	wg.Wait()
}

func TestAnAbandonedStreamStopsItsSender(t *testing.T) {
	for _, how := range []string{"closed", "cancelled"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stopped := make(chan error, 1)
				c, s := memPair(t, streaming(func(ctx context.Context, in *Inbound) {
					var err error
					for err == nil {
						err = sendJSON(ctx, in.Stream(), []byte("1"))
					}
					stopped <- err
					in.Fail(wire.Errorf(wire.CodeCancelled, "stopped"))
				}))
				ctx, cancel := context.WithCancel(t.Context())
				st, err := c.Open(ctx, request(`[]`))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := st.Recv(t.Context()); err != nil {
					t.Fatal(err)
				}
				if how == "closed" {
					st.Close()
				}
				cancel()
				if err := <-stopped; err != context.Canceled {
					t.Errorf("the sender saw %v", err)
				}
				synctest.Wait()
				_, err = st.Recv(t.Context())
				for err == nil {
					_, err = st.Recv(t.Context())
				}
				if code, executed := codeAndExecuted(err); code != wire.CodeCancelled || executed != wire.ExecutedMaybe {
					t.Errorf("the reader saw %v", err)
				}
				if len(c.calls.active) != 0 || c.keep != 0 || len(s.inFlight) != 0 {
					t.Errorf("left behind: %d calls, %d readers, %d requests", len(c.calls.active), c.keep, len(s.inFlight))
				}
			})
		})
	}
}

func TestAStreamHasTheDeadlineThatItWasGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := memPair(t, streaming(func(ctx context.Context, in *Inbound) {
			<-ctx.Done()
			in.Fail(wire.Errorf(wire.CodeDeadlineExceeded, "late"))
		}))
		req := request(`[]`)
		req.Timeout = 3 * time.Second
		began := time.Now()
		st, err := c.Open(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = st.Recv(t.Context()); wire.CodeOf(err) != wire.CodeDeadlineExceeded || time.Since(began) != 3*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

func TestAStreamHasNoOtherDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := memPair(t, streaming(func(ctx context.Context, in *Inbound) {
			time.Sleep(time.Hour) // in the bubble's time
			sendJSON(ctx, in.Stream(), []byte("1"))
			in.Reply(nil)
		}))
		st := open(t, c)
		if item, err := st.Recv(t.Context()); string(item) != "1" {
			t.Errorf("got %s, %v", item, err)
		}
	})
}

func TestALostConnectionEndsStreamsAtBothEnds(t *testing.T) {
	ended := make(chan error, 1)
	a, b := transport.Pair(nil)
	c, _ := pair(t, streaming(func(ctx context.Context, in *Inbound) {
		sendJSON(ctx, in.Stream(), []byte("1"))
		_, err := in.Stream().Recv(ctx)
		ended <- err
	}), a, b, Options{})
	st := open(t, c)
	if _, err := st.Recv(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Close()
	if code, executed := codeAndExecuted(func() error { _, err := st.Recv(t.Context()); return err }()); code != wire.CodeConnectionLost || executed != wire.ExecutedMaybe {
		t.Errorf("the client saw %s, %s", code, executed)
	}
	if err := <-ended; err == nil {
		t.Error("the service saw nothing")
	}
}

func TestCreditLies(t *testing.T) {
	t.Run("service", func(t *testing.T) {
		c, p := rawPair(t)
		st := open(t, c)
		asked := p.read()
		item := `"` + strings.Repeat("x", 100_000) + `"`
		for range StreamWindow/100_000 + 2 {
			p.write(`{"type":"response","data":%s,"correlationId":"%s","metadata":{"more":true}}`, item, asked.MessageID)
		}
		if m := p.read(); string(m.Channel) != "ipc.cancel" {
			t.Errorf("the service was told %s", m.Channel)
		}
		var err error
		for err == nil {
			_, err = st.Recv(t.Context())
		}
		if wire.CodeOf(err) != wire.CodeProtocolError {
			t.Errorf("got %v", err)
		}
	})
	t.Run("client", func(t *testing.T) {
		a, b := transport.Pair(nil)
		w := &Watchdog{}
		s := New(b, streaming(func(ctx context.Context, in *Inbound) {
			<-ctx.Done() // takes nothing
			in.Fail(wire.Errorf(wire.CodeCancelled, "stopped"))
		}), Options{Inline: true, Watchdog: w})
		defer w.Stop()
		defer s.Close()
		defer a.Close()
		p := &peer{t, a}
		p.write(`{"type":"request","messageId":"s","channel":"test.x"}`)
		p.write(`{"type":"event","channel":"ipc.stream","correlationId":"s","metadata":{"credit":9223372036854775807}}`)
		p.write(`{"type":"event","channel":"ipc.stream","correlationId":"s","metadata":{"credit":9223372036854775807}}`)
		p.write(`{"type":"event","channel":"ipc.stream","correlationId":"s","metadata":{"credit":-5}}`)
		for range StreamCredit/MinItemCost + 1 {
			p.write(`{"type":"event","channel":"ipc.stream","correlationId":"s","data":1}`)
		}
		if m := p.read(); m.Error == nil || wire.DecodeError(m.Error).Code != wire.CodeProtocolError {
			t.Errorf("got %s %s", m.Type, m.Error)
		}
		p.write(`{"type":"event","channel":"ipc.stream","correlationId":"s","data":1}`) // to what has ended
		p.write(`{"type":"event","channel":"ipc.stream"}`)
	})
	t.Run("the same id twice", func(t *testing.T) {
		a, b := transport.Pair(nil)
		w := &Watchdog{}
		s := New(b, streaming(func(ctx context.Context, in *Inbound) {
			<-ctx.Done()
			in.Fail(wire.Errorf(wire.CodeCancelled, "stopped"))
		}), Options{Inline: true, Watchdog: w})
		defer w.Stop()
		defer s.Close()
		defer a.Close()
		p := &peer{t, a}
		p.write(`{"type":"request","messageId":"s"}`)
		p.write(`{"type":"request","messageId":"s"}`)
		if m := p.read(); m.Error == nil || wire.DecodeError(m.Error).Code != wire.CodeProtocolError {
			t.Errorf("got %s %s", m.Type, m.Error)
		}
	})
}
