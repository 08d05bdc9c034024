package session

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

func TestASilentPeerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := rawPair(t)
		began := time.Now()
		pings := make(chan string, 8)
		go func() {
			for {
				frame, err := p.conn.ReadFrame()
				if err != nil {
					close(pings)
					return
				}
				var m wire.Message
				if (*wire.Limits)(nil).Decode(frame, &m) == nil && string(m.Channel) == "ipc.ping" {
					pings <- string(m.MessageID)
				}
			}
		}()
		req := request(`[1]`)
		req.Timeout = time.Hour
		_, err := c.Call(t.Context(), req)
		e, _ := errors.AsType[*wire.Error](err)
		if e == nil || e.Code != wire.CodeConnectionLost || e.Details.Executed != wire.ExecutedMaybe {
			t.Errorf("got %v", err)
		}
		if took, want := time.Since(began), 3*DefaultPingInterval; took != want {
			t.Errorf("given up after %v, want %v", took, want)
		}
		n := 0
		for range pings {
			n++
		}
		if n != maxPings {
			t.Errorf("%d pings, want %d", n, maxPings)
		}
	})
}

func TestAPeerThatAnswersPingsMayTakeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := memPair(t, handler{request: func(in *Inbound) {
			if string(in.Channel) == "ipc.ping" {
				in.Reply(nil)
				return
			}
			in.Go(func(in *Inbound) {
				time.Sleep(time.Hour) // in the bubble's time
				in.Reply(in.Data)
			})
		}})
		req := request(`[1]`)
		req.Timeout = 2 * time.Hour
		if data, err := c.Call(t.Context(), req); err != nil || string(data) != `[1]` {
			t.Errorf("got %s, %v", data, err)
		}
		if c.Late() != 0 {
			t.Errorf("%d answers to pings were taken for late ones", c.Late())
		}
	})
}

func TestNobodyIsPingedWhoOwesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pinged := false
		c, _ := memPair(t, handler{request: func(in *Inbound) {
			pinged = pinged || string(in.Channel) == "ipc.ping"
			in.Reply(nil)
		}})
		if _, err := c.Call(t.Context(), request(`[1]`)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * DefaultPingInterval) // in the bubble's time
		if pinged {
			t.Error("the peer was pinged")
		}
		if _, err := c.Call(t.Context(), request(`[1]`)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestLingerJoinsWhatComesWithinIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pair(nil)
		w := &Watchdog{}
		s := New(b, handler{request: echo}, Options{Inline: true, Watchdog: w})
		writes := &countingConn{Conn: a}
		c := New(writes, handler{}, Options{Linger: 5 * time.Millisecond, LingerBytes: 4096})
		defer w.Stop()
		defer s.Close()
		defer c.Close()
		began := time.Now()
		done := make(chan error, 10)
		for range 10 {
			go func() {
				_, err := c.Call(t.Context(), request(`[1]`))
				done <- err
			}()
		}
		for range 10 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took != 5*time.Millisecond || writes.n != 1 {
			t.Errorf("%d writes within %v; want one after 5ms", writes.n, took)
		}
		began = time.Now()
		big := request(`["` + string(make100()) + string(make100()) + `"]`)
		big.Data = append(append([]byte(`["`), make([]byte, 4096)...), `"]`...)
		for i := range big.Data[2 : len(big.Data)-2] {
			big.Data[2+i] = 'x'
		}
		if _, err := c.Call(t.Context(), big); err != nil || time.Since(began) != 0 {
			t.Errorf("enough for a write waited %v (%v)", time.Since(began), err)
		}
		if err := c.Send(&wire.Message{Type: wire.TypeEvent, Channel: []byte("events.x")}); err != nil {
			t.Error(err)
		}
		before := writes.n
		c.Close() // does not wait for company
		if writes.n != before+1 {
			t.Errorf("%d writes at the end", writes.n-before)
		}
	})
}

// countingConn counts writes.
type countingConn struct {
	transport.Conn
	n int
}

func (c *countingConn) TryWrite(b []byte) (int, error) {
	c.n++
	return c.Conn.TryWrite(b)
}
