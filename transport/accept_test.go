package transport_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc/transport"
)

func TestF10_AcceptPauses(t *testing.T) {
	for _, errno := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOMEM} {
		synctest.Test(t, func(t *testing.T) {
			var tries []time.Time
			until := time.Now().Add(10 * time.Second)
			a, b := net.Pipe()
			defer b.Close()
			next, _ := transport.AcceptorForTest(func() (net.Conn, error) {
				tries = append(tries, time.Now())
				if time.Now().Before(until) {
					return nil, &net.OpError{Op: "accept", Err: errno}
				}
				return a, nil
			})
			c, err := next()
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			if first := tries[1].Sub(tries[0]); first != 10*time.Millisecond {
				t.Errorf("%v: the first pause is %v", errno, first)
			}
			for i := 2; i < len(tries); i++ {
				if pause := tries[i].Sub(tries[i-1]); pause > time.Second || pause < tries[i-1].Sub(tries[i-2]) {
					t.Errorf("%v: pause %d is %v", errno, i, pause)
				}
			}
			if len(tries) > 20 {
				t.Errorf("%v: %d tries in 10 s", errno, len(tries))
			}
		})
	}
}

func TestF10_CloseEndsThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next, stop := transport.AcceptorForTest(func() (net.Conn, error) { return nil, syscall.EMFILE })
		done := make(chan error)
		go func() {
			_, err := next()
			done <- err
		}()
		synctest.Wait()
		stop()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want net.ErrClosed", err)
		}
	})
}

func TestF10_OtherErrorsFail(t *testing.T) {
	next, _ := transport.AcceptorForTest(func() (net.Conn, error) { return nil, syscall.EINVAL })
	if _, err := next(); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("got %v, want EINVAL", err)
	}
}
