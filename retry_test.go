package ipc_test

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// fake is a service that does not behave: answer is given each request and
// returns the text of its response, or "" to hang up.
type fake struct {
	listener transport.Listener
	keys     chan string // the idempotency key of each request, in order
	done     chan struct{}
}

func serveFake(t *testing.T, address string, answer func(n int) string) *fake {
	t.Helper()
	l, err := transport.Listen(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{l, make(chan string, 100), make(chan struct{})}
	go func() {
		defer close(f.done)
		for n := 0; ; {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			for f.serve(conn, answer, n) {
				n++
			}
			n++
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-f.done
	})
	return f
}

// serve answers one request and reports whether the connection goes on.
func (f *fake) serve(conn transport.Conn, answer func(int) string, n int) bool {
	frame, err := conn.ReadFrame()
	for errors.Is(err, transport.ErrInterrupted) {
		frame, err = conn.ReadFrame()
	}
	var m wire.Message
	var meta wire.Metadata
	if err != nil || (*wire.Limits)(nil).Decode(frame, &m) != nil {
		return false
	}
	if m.Metadata != nil && (*wire.Limits)(nil).DecodeMetadata(m.Metadata, &meta) != nil {
		return false
	}
	f.keys <- string(meta.IdempotencyKey)
	text := answer(n)
	if text == "" {
		return false
	}
	text = `{"type":"response","correlationId":"` + string(m.MessageID) + `",` + text + `}`
	return conn.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), text...)) == nil
}

func hangUpOnce(n int) string {
	if n == 0 {
		return ""
	}
	return `"data":42`
}

// TestRetriesWithTheSameKey loses the connection of a call that may have been
// carried out.
func TestRetriesWithTheSameKey(t *testing.T) {
	t.Run("a method that the manifest says is idempotent", func(t *testing.T) {
		dir, address := manifestDir(t, queueManifest)
		f := serveFake(t, address, hangUpOnce)
		c, err := ipc.Dial(t.Context(), "works", &ipc.ClientOptions{Dirs: []string{dir}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if got, err := ipc.Call[int](t.Context(), c, "pay"); got != 42 || err != nil {
			t.Errorf("got %d, %v", got, err)
		}
		first, second := <-f.keys, <-f.keys
		if len(first) != 36 || first != second {
			t.Errorf("the keys were %q and %q", first, second)
		}
		if _, err := ipc.Call[int](t.Context(), c, "pay"); err != nil {
			t.Error(err)
		}
		if third := <-f.keys; third == first {
			t.Error("another call had the same key")
		}
		if _, err := ipc.Call[int](t.Context(), c, "free"); err != nil {
			t.Error(err)
		}
		if key := <-f.keys; key != "" {
			t.Errorf("a method that is not idempotent had the key %q", key)
		}
	})
	t.Run("a call with a key of its own", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := serveFake(t, "mem:"+t.Name(), hangUpOnce)
			c := dial(t, "mem:"+t.Name(), nil)
			if got, err := pay(t.Context(), c, "order 7"); got != 42 || err != nil {
				t.Errorf("got %d, %v", got, err)
			}
			if first, second := <-f.keys, <-f.keys; first != "order 7" || second != first {
				t.Errorf("the keys were %q and %q", first, second)
			}
		})
	})
	t.Run("not one without", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := serveFake(t, "mem:"+t.Name(), hangUpOnce)
			c := dial(t, "mem:"+t.Name(), nil)
			_, err := c.Call(t.Context(), "free")
			if e, ok := err.(*ipc.Error); !ok || e.Code != ipc.CodeConnectionLost || e.Details.Executed != ipc.ExecutedMaybe {
				t.Errorf("got %v", err)
			}
			if len(f.keys) != 1 {
				t.Errorf("sent %d times", len(f.keys))
			}
		})
	})
}

// TestARefusedRetryDoesNotHideTheFirstAttempt loses a connection, and has the
// second attempt refused: that one was not executed, the first may have been.
func TestARefusedRetryDoesNotHideTheFirstAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serveFake(t, "mem:"+t.Name(), func(n int) string {
			if n == 0 {
				return ""
			}
			return `"error":{"code":"CONFLICT","message":"no"}`
		})
		c := dial(t, "mem:"+t.Name(), nil)
		_, err := pay(t.Context(), c, "k")
		if e, ok := err.(*ipc.Error); !ok || e.Code != ipc.CodeConflict || e.Details.Executed != ipc.ExecutedMaybe {
			t.Errorf("got %+v", err)
		}
	})
}

// refusing is a service that refuses the first calls, to be asked again after
// a while, and counts them.
func refusing(t *testing.T, refusals int64, after time.Duration) (dial func(*ipc.ClientOptions) *ipc.Client, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	s := works(t, nil, func(context.Context, *ipc.Request) (any, error) {
		if asked.Add(1) > refusals {
			return nil, nil
		}
		e := ipc.Errorf("APP_BUSY", "later")
		e.Details.Executed, e.Details.Retryable, e.Details.RetryAfter = ipc.ExecutedNo, true, after
		return nil, e
	})
	return inBubble(t, s), asked
}

func TestARefusalIsRepeatedNotSoonerThanItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const after = 200 * time.Millisecond
		dial, asked := refusing(t, 2, after)
		began := time.Now()
		if _, err := dial(nil).Call(t.Context(), "free"); err != nil || asked.Load() != 3 {
			t.Errorf("%v after %d requests", err, asked.Load())
		}
		if took := time.Since(began); took < 2*after || took > 5*after {
			t.Errorf("took %v", took)
		}
	})
}

// TestRetriesAreBounded asks a service that never agrees.
func TestRetriesAreBounded(t *testing.T) {
	for _, x := range []struct {
		name    string
		retries int
		after   time.Duration
		timeout time.Duration
		want    int64
	}{
		{"two by default", 0, time.Millisecond, 0, 3},
		{"as many as wanted", 5, time.Millisecond, 0, 6},
		{"none", -1, time.Millisecond, 0, 1},
		{"within the deadline of the context", 0, time.Second, 500 * time.Millisecond, 1},
		{"within the deadline that a call has by default", 0, 31 * time.Second, 0, 1},
		{"what is left of it counts", 0, 16 * time.Second, 0, 2},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial, asked := refusing(t, 1000, x.after)
				ctx := t.Context()
				if x.timeout != 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, x.timeout)
					defer cancel()
				}
				began := time.Now()
				_, err := dial(&ipc.ClientOptions{MaxRetries: x.retries}).Call(ctx, "free")
				if e, ok := err.(*ipc.Error); !ok || e.Code != "APP_BUSY" || !strings.Contains(e.Message, "later") {
					t.Errorf("got %v", err)
				}
				got := asked.Load()
				if x.after == 16*time.Second && got == 1 {
					got = 2 // jitter: the first retry may come too late already
				}
				if got != x.want {
					t.Errorf("asked %d times, want %d", got, x.want)
				}
				if took := time.Since(began); took > 30*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
	t.Run("one in ten of all", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const calls = 2000
			dial, asked := refusing(t, 1e9, time.Millisecond)
			c := dial(nil)
			began := time.Now()
			for range calls {
				c.Call(t.Context(), "free")
			}
			most := int64(calls + calls/10 + 10 + time.Since(began).Seconds() + 1)
			if got := asked.Load(); got > most || got < calls+calls/10 {
				t.Errorf("asked %d times for %d calls, want at most %d", got, calls, most)
			}
		})
	})
}

func TestGivingUpEndsTheWaitForARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, asked := refusing(t, 1000, 5*time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		defer time.AfterFunc(time.Second, cancel).Stop()
		began := time.Now()
		_, err := dial(nil).Call(ctx, "free")
		if !errors.Is(err, context.Canceled) || asked.Load() != 1 || time.Since(began) != time.Second {
			t.Errorf("%v after %v and %d requests", err, time.Since(began), asked.Load())
		}
	})
}

// TestAFullQueueIsWaitedOut has a service refuse what the client then brings
// through by itself.
func TestAFullQueueIsWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := works(t, &ipc.ServiceOptions{MaxQueued: -1}, func(context.Context, *ipc.Request) (any, error) {
			time.Sleep(80 * time.Millisecond)
			return nil, nil
		})
		c := inBubble(t, s)(nil)
		results := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := c.Call(t.Context(), "one")
				results <- err
			}()
		}
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAKeyThatNoServiceTakes(t *testing.T) {
	address, _ := start(t, nil)
	c := dial(t, address, nil)
	for _, key := range []string{"", strings.Repeat("k", ipc.MaxIdempotencyKey+1)} {
		_, err := c.Call(ipc.WithIdempotencyKey(t.Context(), key), "echo", 1)
		if e, ok := err.(*ipc.Error); !ok || e.Code != ipc.CodeInvalidArgument || e.Details.Origin != wire.OriginClient {
			t.Errorf("%d bytes: got %v", len(key), err)
		}
	}
	_, err := c.Call(ipc.WithIdempotencyKey(t.Context(), "k"), "echo", 1)
	if e, ok := err.(*ipc.Error); !ok || e.Code != ipc.CodeInvalidArgument || e.Details.Origin != wire.OriginService {
		t.Errorf("a method that is not idempotent: got %v", err)
	}
}
