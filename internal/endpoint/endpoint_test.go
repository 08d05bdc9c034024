package endpoint

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// nobody handles nothing.
type nobody struct{}

func (nobody) Request(*session.Inbound)  {}
func (nobody) Event(*session.Inbound)    {}
func (nobody) Stray([]byte, *wire.Error) {}

// dialer opens sessions to nobody in particular, and counts them.
type dialer struct {
	mu    sync.Mutex
	dials int
	gate  chan struct{} // each dial takes one; nil: none needed
	fail  error
	far   []transport.Conn
}

func (d *dialer) dial(ctx context.Context) (*session.Session, error) {
	if d.gate != nil {
		select {
		case <-d.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dials++
	if d.fail != nil {
		return nil, d.fail
	}
	near, far := transport.Pair(nil)
	d.far = append(d.far, far)
	return session.New(near, nobody{}, session.Options{}), nil
}

func TestCallersShareOneDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{gate: make(chan struct{})}
		e := New(d.dial)
		defer e.Close()
		got := make(chan *session.Session, 50)
		for range 50 {
			go func() {
				s, err := e.Acquire(t.Context())
				if err != nil {
					t.Error(err)
				}
				got <- s
			}()
		}
		synctest.Wait()
		d.gate <- struct{}{}
		first := <-got
		for range 49 {
			if s := <-got; s != first {
				t.Error("two callers got different sessions")
			}
		}
		if d.dials != 1 {
			t.Errorf("%d dials", d.dials)
		}
	})
}

func TestASessionThatEndedIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{}
		e := New(d.dial)
		defer e.Close()
		first, err := e.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d.far[0].Close()
		<-first.Done()
		second, err := e.Acquire(t.Context())
		if err != nil || second == first {
			t.Errorf("got the same session again, %v", err)
		}
	})
}

func TestWaitingForADialEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{gate: make(chan struct{})}
		e := New(d.dial)
		dialing, stop := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			_, err := e.Acquire(dialing)
			failed <- err
		}()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := e.Acquire(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		stop()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		e.Close()
		if _, err := e.Acquire(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestAFailedDialIsTriedAnewByTheNextCaller(t *testing.T) {
	d := &dialer{fail: errors.New("nobody there")}
	e := New(d.dial)
	for range 3 {
		if _, err := e.Acquire(t.Context()); !errors.Is(err, d.fail) {
			t.Errorf("got %v", err)
		}
	}
	if d.dials != 3 {
		t.Errorf("%d dials", d.dials)
	}
}

func TestBackoffGrowsToItsBound(t *testing.T) {
	var b Backoff
	bound := FirstRetry
	for range 20 {
		if wait := b.Next(); wait < 0 || wait >= bound {
			t.Errorf("waits %v, expected less than %v", wait, bound)
		}
		bound = min(2*bound, MaxRetry)
	}
}
