package session

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// tardy connects a peer to a service whose handler is held up before it has
// the request go aside, as by a busy machine: the watchdog takes the reading
// away from it, and the messages that follow are read first.
func tardy(t *testing.T, h handler) *peer {
	a, b := transport.Pair(nil)
	w := &Watchdog{}
	s := New(b, handler{request: func(in *Inbound) {
		time.Sleep(5 * watchTick) // in the bubble's time
		h.request(in)
	}}, Options{Inline: true, Watchdog: w})
	t.Cleanup(func() {
		a.Close()
		s.Close()
		w.Stop()
	})
	return &peer{t, a}
}

func TestAStreamBegunLateMissesNothing(t *testing.T) {
	for _, count := range []int{0, 3, StreamCredit / MinItemCost, StreamCredit/MinItemCost + 1} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := tardy(t, streaming(func(ctx context.Context, in *Inbound) {
					for n := 0; ; n++ {
						_, err := in.Stream().Recv(ctx)
						if err == io.EOF {
							in.Reply(fmt.Appendf(nil, "%d", n))
							return
						}
						if err != nil {
							in.Fail(wire.Errorf(wire.CodeCancelled, "%v", err))
							return
						}
					}
				}))
				p.write(`{"type":"request","messageId":"the-stream"}`)
				for n := range count {
					p.write(`{"type":"event","channel":"ipc.stream","correlationId":"the-stream","data":%d}`, n)
				}
				p.write(`{"type":"event","channel":"ipc.stream","correlationId":"the-stream"}`)
				m := p.read()
				if count <= StreamCredit/MinItemCost && string(m.Data) != fmt.Sprint(count) {
					t.Errorf("the handler got %s items of %d, %s", m.Data, count, m.Error)
				}
				if count > StreamCredit/MinItemCost && !strings.Contains(string(m.Error), string(wire.CodeProtocolError)) {
					t.Errorf("one item more than there was credit for: %s %s", m.Data, m.Error)
				}
			})
		})
	}
}

func TestCreditForAStreamBegunLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tardy(t, streaming(func(ctx context.Context, in *Inbound) {
			for range 3 {
				if err := sendJSON(ctx, in.Stream(), []byte("1")); err != nil {
					t.Error(err)
				}
			}
			in.Reply(nil)
		}))
		p.write(`{"type":"request","messageId":"the-stream","metadata":{"credit":1}}`)
		p.write(`{"type":"event","channel":"ipc.stream","correlationId":"the-stream","metadata":{"credit":256}}`)
		p.write(`{"type":"event","channel":"ipc.stream","correlationId":"the-stream","metadata":{"credit":256}}`)
		for range 4 {
			p.read()
		}
	})
}

// TestARequestThatGoesAsideLateIsCancelled, whether the cancellation comes
// before that or after.
func TestARequestThatGoesAsideLateIsCancelled(t *testing.T) {
	for _, wait := range []time.Duration{0, 10 * watchTick} {
		t.Run(wait.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := tardy(t, handler{request: func(in *Inbound) {
					in.Go(func(in *Inbound) {
						var ctx Context
						in.Start(&ctx)
						defer ctx.End()
						select {
						case <-ctx.Done():
						case <-time.After(time.Hour):
							t.Error("the handler was not told")
						}
						in.Reply(nil)
					})
				}})
				p.write(`{"type":"request","messageId":"the-request"}`)
				time.Sleep(wait)
				p.write(`{"type":"event","channel":"ipc.cancel","correlationId":"the-request"}`)
				p.read()
			})
		})
	}
}

// TestAStreamBegunLateWithAnIdInUseIsRefused, and its caller is told at once.
func TestAStreamBegunLateWithAnIdInUseIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tardy(t, streaming(func(ctx context.Context, in *Inbound) {
			<-ctx.Done()
			in.Reply(nil)
		}))
		p.write(`{"type":"request","messageId":"the-stream"}`)
		p.write(`{"type":"request","messageId":"the-stream"}`)
		if m := p.read(); !strings.Contains(string(m.Error), string(wire.CodeProtocolError)) {
			t.Errorf("got %s %s", m.Data, m.Error)
		}
		p.write(`{"type":"event","channel":"ipc.cancel","correlationId":"the-stream"}`)
		if m := p.read(); m.Error != nil {
			t.Errorf("got %s", m.Error)
		}
	})
}
