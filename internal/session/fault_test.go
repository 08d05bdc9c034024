package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// halfWay is a connection that takes nothing at once, and whose waiting writes
// fail after all of it has left.
type halfWay struct{ transport.Conn }

func (halfWay) TryWrite([]byte) (int, error) { return 0, nil }

func (c halfWay) Write(frames []byte) error {
	if err := c.Conn.Write(frames); err != nil {
		return err
	}
	return os.ErrDeadlineExceeded
}

func TestWhatAFailedWriteMayHaveSentIsNotSentAgain(t *testing.T) {
	arrived := make(chan struct{}, 1)
	hang := make(chan struct{})
	a, b := transport.Pair(nil)
	c, _ := pair(t, handler{request: func(*Inbound) { arrived <- struct{}{}; <-hang }}, halfWay{a}, b, Options{})
	t.Cleanup(func() { close(hang) })
	_, err := c.Call(t.Context(), request(`[1]`))
	<-arrived
	e, _ := errors.AsType[*wire.Error](err)
	if e == nil || e.Code != wire.CodeConnectionLost || e.Details.Executed != wire.ExecutedMaybe {
		t.Fatalf("got %v, %+v", err, e)
	}
}

// peer speaks for the other end of a session, frame by frame.
type peer struct {
	t    *testing.T
	conn transport.Conn
}

func rawPair(t *testing.T) (*Session, *peer) {
	a, b := transport.Pair(nil)
	c := New(a, handler{}, Options{})
	t.Cleanup(func() {
		b.Close()
		c.Close()
	})
	return c, &peer{t, b}
}

func (p *peer) read() (m wire.Message) {
	p.t.Helper()
	frame, err := p.conn.ReadFrame()
	if err != nil {
		p.t.Fatal(err)
	}
	p.conn.Detach()
	if err := (*wire.Limits)(nil).Decode(frame, &m); err != nil {
		p.t.Fatal(err)
	}
	return m
}

func (p *peer) write(format string, args ...any) {
	p.t.Helper()
	text := fmt.Sprintf(format, args...)
	frame := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	if err := p.conn.Write(append(frame, text...)); err != nil {
		p.t.Fatal(err)
	}
}

func TestAnUnreadableAnswerEndsItsCallAlone(t *testing.T) {
	c, p := rawPair(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		data, err := c.Call(t.Context(), request(`["other"]`))
		if string(data) != "1" || err != nil {
			t.Errorf("the other call got %s, %v", data, err)
		}
	})
	other := p.read()
	for range 3 {
		wg.Go(func() {
			bad := p.read()
			p.write(`{"type":"response","data":%s1%s,"correlationId":"%s"}`, strings.Repeat("[", 100), strings.Repeat("]", 100), bad.MessageID)
		})
		_, err := c.Call(t.Context(), request(`["bad"]`))
		e, _ := errors.AsType[*wire.Error](err)
		if e == nil || e.Code != wire.CodeMessageTooLarge || e.Details.Executed != wire.ExecutedMaybe || e.Details.Retryable {
			t.Fatalf("got %v, %+v", err, e)
		}
	}
	p.write(`{"type":"response","data":1,"correlationId":"%s"}`, other.MessageID)
	wg.Wait()
}

func TestAPeerThatCannotBeReadDoesNotSpeakForTheCalls(t *testing.T) {
	c, p := rawPair(t)
	failed := make(chan error)
	go func() {
		_, err := c.Call(t.Context(), request(`[1]`))
		failed <- err
	}()
	p.read()
	for range maxMalformed + 1 {
		p.write(`{"type":"response"`)
	}
	e, _ := errors.AsType[*wire.Error](<-failed)
	if e == nil || e.Code != wire.CodeConnectionLost || e.Details.Executed != wire.ExecutedMaybe {
		t.Fatalf("got %+v", e)
	}
}

// TestABatchGoesOnWhereItsReaderLeft lets the first message of a batch block:
// the others, and the frames after it, are answered meanwhile, once each.
func TestABatchGoesOnWhereItsReaderLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a, b := transport.Pair(nil)
		w := &Watchdog{}
		s := New(b, handler{request: func(in *Inbound) {
			if string(in.Data) == `"slow"` {
				<-release
			}
			in.Reply(in.Data)
		}}, Options{Inline: true, Watchdog: w})
		p := &peer{t, a}
		defer w.Stop()
		defer s.Close()
		defer a.Close()
		p.write(`[{"type":"request","messageId":"b0","data":"slow"},{"type":"request","messageId":"b1","data":1},{"type":"request","messageId":"b2","data":"slow"},{"type":"request","messageId":"b3","data":3}]`)
		const frames = 50
		for i := range frames {
			p.write(`{"type":"request","messageId":"f%d","data":%d}`, i, i)
		}
		seen := map[string]int{}
		for range frames + 2 {
			seen[string(p.read().CorrelationID)]++
		}
		if seen["b1"] != 1 || seen["b3"] != 1 || len(seen) != frames+2 {
			t.Errorf("answered while the first waits: %v", seen)
		}
		close(release)
		for range 2 {
			seen[string(p.read().CorrelationID)]++
		}
		if seen["b0"] != 1 || seen["b2"] != 1 {
			t.Errorf("answered in the end: %v", seen)
		}
	})
}

func TestDrainTellsWhatWasNeverRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		ran := map[string]int{}
		c, s := memPair(t, handler{request: func(in *Inbound) {
			ran[string(in.Data)]++
			if string(in.Data) == `["slow"]` {
				<-release
			}
			in.Reply(in.Data)
		}})
		outcome := map[string]error{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		call := func(data string) {
			wg.Go(func() {
				_, err := c.Call(t.Context(), request(data))
				mu.Lock()
				defer mu.Unlock()
				outcome[data] = err
			})
		}
		call(`["slow"]`)
		synctest.Wait()
		drained := make(chan error)
		go func() { drained <- s.Drain(t.Context()) }() // within the first millisecond: the handler still has the reading
		synctest.Wait()
		call(`[1]`) // not read before the handler returns
		synctest.Wait()
		close(release)
		wg.Wait()
		if err := <-drained; err != nil {
			t.Error(err)
		}
		if err := outcome[`["slow"]`]; err != nil {
			t.Errorf("the call that ran: %v", err)
		}
		e, _ := errors.AsType[*wire.Error](outcome[`[1]`])
		if e == nil || e.Code != wire.CodeShuttingDown || e.Details.Executed != wire.ExecutedNo || ran[`[1]`] != 0 {
			t.Errorf("the call that came late: %v; it ran %d times", outcome[`[1]`], ran[`[1]`])
		}
	})
}

func TestGoodbyeWithNothingOutstanding(t *testing.T) {
	c, s := memPair(t, handler{request: echo})
	if _, err := c.Call(t.Context(), request(`[1]`)); err != nil {
		t.Fatal(err)
	}
	if err := s.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	if code := wire.CodeOf(c.Err()); code != wire.CodeShuttingDown {
		t.Errorf("the session ended with %v", c.Err())
	}
}

// TestWhoSaidNothingIsTurnedAway: what it says first may be on its way.
func TestWhoSaidNothingIsTurnedAway(t *testing.T) {
	a, b := transport.Pair(nil)
	w := &Watchdog{}
	s := New(b, handler{}, Options{Inline: true, Watchdog: w})
	defer w.Stop()
	defer a.Close()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := (&peer{t, a}).read()
	if e := wire.DecodeError(m.Error); m.CorrelationID != nil || e.Code != wire.CodeShuttingDown || e.Details.Executed != wire.ExecutedNo {
		t.Errorf("got %s %s", m.CorrelationID, m.Error)
	}
	if frame, err := a.ReadFrame(); err != io.EOF {
		t.Errorf("got %s, %v", frame, err)
	}
}

// TestTheRestOfABatchIsAnsweredAtOnce lets the second message of a batch
// finish on the goroutine that took the reading over, after the first has.
func TestTheRestOfABatchIsAnsweredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pair(nil)
		w := &Watchdog{}
		first := make(chan struct{})
		s := New(b, handler{request: func(in *Inbound) {
			switch string(in.Data) {
			case "1":
				<-first
			case "2":
				close(first)
				synctest.Wait() // until the first has been answered
			}
			in.Reply(in.Data)
		}}, Options{Inline: true, Watchdog: w})
		defer w.Stop()
		defer s.Close()
		defer a.Close()
		p := &peer{t, a}
		p.write(`[{"type":"request","messageId":"1","data":1},{"type":"request","messageId":"2","data":2}]`)
		for range 2 {
			p.read()
		}
	})
}

func TestALateAnswerIsNobodysConcern(t *testing.T) {
	a, b := transport.Pair(nil)
	strays := make(chan string, 4)
	c := New(a, handler{stray: func(id []byte, err *wire.Error) { strays <- string(err.Code) }}, Options{})
	p := &peer{t, b}
	t.Cleanup(func() {
		b.Close()
		c.Close()
	})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := c.Call(ctx, request(`[1]`))
		failed <- err
	}()
	asked := p.read()
	cancel()
	<-failed
	if err := c.Send(&wire.Message{Type: wire.TypeEvent, Channel: []byte("events.x")}); err != nil {
		t.Fatal(err)
	}
	event := p.read()
	for string(event.Channel) != "events.x" {
		event = p.read()
	}
	p.write(`{"type":"response","correlationId":"%s","error":{"code":"CANCELLED","message":"late"}}`, asked.MessageID)
	p.write(`{"type":"response","correlationId":"%s","error":{"code":"CHANNEL_NOT_FOUND","message":"no such event"}}`, event.MessageID)
	if code := <-strays; code != "CHANNEL_NOT_FOUND" {
		t.Errorf("told of %s", code)
	}
	if c.Late() != 1 {
		t.Errorf("%d late answers", c.Late())
	}
}
