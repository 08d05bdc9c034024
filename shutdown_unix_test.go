//go:build unix

package ipc_test

import (
	"context"
	"syscall"
	"testing"

	"github.com/ekkojs/ipc"
)

// TestWhoWasNotAcceptedYetIsTold stops a service, connects to it and calls,
// and tells it to end before it has had time to accept: unless the call is
// answered, it certainly did not run.
func TestWhoWasNotAcceptedYetIsTold(t *testing.T) {
	for range 10 {
		address := localAddress(t)
		cmd := process(t, address)
		signal := func(s syscall.Signal) {
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
		signal(syscall.SIGSTOP)
		c := dial(t, address, &ipc.ClientOptions{MaxRetries: -1}) // the kernel accepts for it
		outcome := make(chan error, 1)
		if err := c.Notify(context.Background(), "echo", 1); err != nil { // written when that returns
			t.Fatal(err)
		}
		go func() {
			_, err := c.Call(context.Background(), "echo", 1)
			outcome <- err
		}()
		signal(syscall.SIGTERM)
		signal(syscall.SIGCONT)
		err := <-outcome
		if err == nil {
			continue // it was accepted after all
		}
		// The client has tried another connection, which nobody serves.
		if code := ipc.CodeOf(err); code != ipc.CodeShuttingDown && code != ipc.CodeServiceUnavailable || detailsOf(t, err).Executed != ipc.ExecutedNo {
			t.Errorf("got %v, executed %q", err, detailsOf(t, err).Executed)
		}
		cmd.Wait()
	}
}
