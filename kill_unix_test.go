//go:build unix

package ipc_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/observe"
)

// stopFor makes TestAServiceStandsStill stop it for that long in addition:
// make freeze sets it.
var stopFor = flag.Duration("stop", 0, "how long to stop a service in another process")

// stageProcess starts the service of newStage in a process of its own.
func stageProcess(t *testing.T, address string) *exec.Cmd {
	t.Helper()
	t.Setenv(stageEnv, "1")
	return process(t, address)
}

// kill ends a process as nothing else does, and returns when it has ended.
func kill(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

// halt stops a process, and returns when it has stopped.
func halt(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Process.Signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || !status.Stopped() {
			t.Fatalf("stopping the process: %v, %v", status, err)
		}
		return
	}
}

// calls are calls under way, whose outcomes come as outcomeOf writes them.
func calls(ctx context.Context, c *ipc.Client, n int, method string, args ...any) <-chan string {
	outcomes := make(chan string, n)
	for range n {
		go func() {
			got, err := c.Call(ctx, method, args...)
			outcomes <- outcomeOf(got, err)
		}()
	}
	return outcomes
}

// running waits until n requests run at the service.
func running(t *testing.T, c *ipc.Client, n int) {
	t.Helper()
	for figuresOf(t, c).Running != n {
	}
}

const (
	lostMaybe = "CONNECTION_LOST, executed maybe, not retryable"
	lostNo    = "CONNECTION_LOST, executed no, retryable"
	goneNo    = "SERVICE_UNAVAILABLE, executed no, retryable"
)

// TestServiceKilledAtEveryStage kills a service with a client at some point of
// a call, and has the client call another one at the same address. Where none
// of a request need have left yet, the client may know that it did not.
func TestServiceKilledAtEveryStage(t *testing.T) {
	for name, stage := range map[string]struct {
		outcomes string // of a call: one of these
		to       func(t *testing.T, address string, cmd *exec.Cmd, c *ipc.Client, sent <-chan string) <-chan string
	}{
		"before it accepts": {lostMaybe + goneNo, func(t *testing.T, address string, cmd *exec.Cmd, c *ipc.Client, sent <-chan string) <-chan string {
			halt(t, cmd)
			outcomes := calls(t.Context(), c, 1, "hold", 1)
			<-sent
			return outcomes
		}},
		"a connection and no request": {goneNo, func(t *testing.T, _ string, cmd *exec.Cmd, c *ipc.Client, _ <-chan string) <-chan string {
			if err := c.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			kill(cmd)
			for { // until the client has seen it
				_, err := c.Call(t.Context(), "hold", 1)
				if ipc.CodeOf(err) != ipc.CodeConnectionLost {
					outcome := make(chan string, 1)
					outcome <- outcomeOf(nil, err)
					return outcome
				}
			}
		}},
		"a request half written": {lostMaybe + lostNo + goneNo, func(t *testing.T, _ string, cmd *exec.Cmd, c *ipc.Client, sent <-chan string) <-chan string {
			if err := c.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			<-sent
			halt(t, cmd)
			outcomes := calls(t.Context(), c, 1, "hold", strings.Repeat("x", 1_000_000)) // more than a socket takes
			<-sent
			return outcomes
		}},
		"handlers run": {lostMaybe, func(t *testing.T, _ string, _ *exec.Cmd, c *ipc.Client, _ <-chan string) <-chan string {
			outcomes := calls(t.Context(), c, 20, "hold", 1)
			running(t, c, 20)
			return outcomes
		}},
		"a stream comes": {lostMaybe, func(t *testing.T, _ string, _ *exec.Cmd, c *ipc.Client, _ <-chan string) <-chan string {
			return streamOutcome(t, c, "give")
		}},
		"a stream goes": {lostMaybe, func(t *testing.T, _ string, _ *exec.Cmd, c *ipc.Client, _ <-chan string) <-chan string {
			return streamOutcome(t, c, "take")
		}},
		"a stream both ways": {lostMaybe, func(t *testing.T, _ string, _ *exec.Cmd, c *ipc.Client, _ <-chan string) <-chan string {
			return streamOutcome(t, c, "both")
		}},
		"while it shuts down": {lostMaybe, func(t *testing.T, address string, cmd *exec.Cmd, c *ipc.Client, _ <-chan string) <-chan string {
			outcomes := calls(t.Context(), c, 20, "hold", 1)
			running(t, c, 20)
			cmd.Process.Signal(syscall.SIGTERM)
			for { // until it lets nobody in any more
				other, err := net.Dial("unix", strings.TrimPrefix(address, "unix:"))
				if err != nil {
					return outcomes
				}
				other.Close()
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			address := localAddress(t)
			cmd := stageProcess(t, address)
			sent := make(chan string, 100)
			opts := *noRetries
			opts.Tap = &observe.Tap{}
			stop := opts.Tap.Listen(func(e *observe.Event) {
				if e.Direction == observe.Sent {
					select {
					case sent <- string(e.Frame[:min(len(e.Frame), 100)]):
					default:
					}
				}
			})
			defer stop()
			c, err := ipc.NewClient(t.Context(), address, &opts)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			outcomes := stage.to(t, address, cmd, c, sent)
			kill(cmd)
			for range cap(outcomes) {
				if got := <-outcomes; !strings.Contains(stage.outcomes, got) {
					t.Errorf("a call came to %s", got)
				}
			}
			stageProcess(t, address)
			if got, err := c.Call(t.Context(), "pass", 1); err != nil || got.String() != "1" {
				t.Errorf("of the next service: %s, %v", got, err)
			}
			settled(t, address, 1)
		})
	}
}

// streamOutcome has a stream half-way and returns what it comes to.
func streamOutcome(t *testing.T, c *ipc.Client, method string) <-chan string {
	st, err := c.Stream(t.Context(), method)
	if err != nil {
		t.Fatal(err)
	}
	halfWay(t, st, method)
	outcome := make(chan string, 1)
	go func() {
		defer st.Close()
		for {
			if _, err := st.Recv(t.Context()); err != nil {
				outcome <- outcomeOf(nil, err)
				return
			}
		}
	}()
	return outcome
}

// TestServiceKilledWithinAnAnswer passes half of a long answer on, and kills
// the service that waits to write the rest of it.
func TestServiceKilledWithinAnAnswer(t *testing.T) {
	leavesNothing(t)
	address := localAddress(t)
	cmd := stageProcess(t, address)
	var whole atomic.Bool
	c := dial(t, serveRaw(t, func(conn net.Conn) {
		service, err := net.Dial("unix", strings.TrimPrefix(address, "unix:"))
		if err != nil {
			t.Error(err)
			return
		}
		var asking sync.WaitGroup
		asking.Go(func() { io.Copy(service, conn) })
		if whole.Load() {
			io.CopyN(conn, service, 1_000_000)
		} else {
			io.CopyN(conn, service, 500_000)
			kill(cmd)
		}
		conn.Close()
		service.Close()
		asking.Wait()
	}), noRetries)
	got, err := c.Call(t.Context(), "grow", 1_000_000)
	if outcome := outcomeOf(got, err); outcome != lostMaybe {
		t.Errorf("the call came to %.100s", outcome)
	}
	stageProcess(t, address)
	whole.Store(true)
	if got, err := c.Call(t.Context(), "grow", 900_000); err != nil || len(got) != 900_002 {
		t.Errorf("of the next service: %d bytes, %v", len(got), err)
	}
}

// TestClientKilledAtEveryStage kills a client at some point of a call. The
// handler is told, another client is not disturbed, and nothing is left.
func TestClientKilledAtEveryStage(t *testing.T) {
	for task, end := range map[string]error{
		"connect":             nil,
		"send half a request": nil,
		"send a request":      context.Canceled,
		"read half an answer": nil,
		"receive a stream":    context.Canceled,
		"send a stream":       context.Canceled,
		"stream both ways":    context.Canceled,
		"subscribe":           nil,
	} {
		t.Run(task, func(t *testing.T) {
			leavesNothing(t)
			g := newStage(t)
			other := dial(t, g.address, nil)
			held := calls(t.Context(), other, 5, "hold", 2)
			for range 5 {
				<-g.began
			}
			cmd := itself(t, taskEnv+"="+g.address+" "+task)
			if task == "send a request" {
				<-g.began
			}
			kill(cmd)
			if end != nil {
				if err := <-g.ended; !errors.Is(err, end) && ipc.CodeOf(err) != ipc.CodeConnectionLost {
					t.Errorf("the handler saw %v", err)
				}
			}
			close(g.release)
			for range 5 {
				if got := <-held; got != "2" {
					t.Errorf("another's call came to %s", got)
				}
			}
			settled(t, g.address, 1)
			if n := len(g.began) + len(g.ended); n != 5 {
				t.Errorf("%d handlers more than were asked for", n-5)
			}
		})
	}
}

// TestClientKilledWhileTheServiceShutsDown: the service does not wait for a
// client that is gone.
func TestClientKilledWhileTheServiceShutsDown(t *testing.T) {
	leavesNothing(t)
	g := &stage{began: make(chan int, 1), ended: make(chan error, 1), release: make(chan struct{})}
	s := g.service(&ipc.ServiceOptions{Logger: quiet})
	address := serve(t, s)
	cmd := itself(t, taskEnv+"="+address+" send a request")
	<-g.began
	shut := make(chan error, 1)
	go func() { shut <- s.Shutdown(context.Background()) }()
	for { // until nobody is let in any more
		other, err := net.Dial("unix", strings.TrimPrefix(address, "unix:"))
		if err != nil {
			break
		}
		other.Close()
	}
	kill(cmd)
	if err := <-g.ended; err != context.Canceled {
		t.Errorf("the handler saw %v", err)
	}
	if err := <-shut; err != nil {
		t.Errorf("shutting down: %v", err)
	}
}

// TestAServiceStandsStill stops the process of a service with calls under way,
// until those that have a short deadline have ended by it. When it goes on,
// the others are answered, on the same connection.
func TestAServiceStandsStill(t *testing.T) {
	leavesNothing(t)
	address := localAddress(t)
	cmd := stageProcess(t, address)
	c := dial(t, address, noRetries)
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := figuresOf(t, c)
	halt(t, cmd)
	t.Cleanup(func() { cmd.Process.Signal(syscall.SIGCONT) })
	patient := calls(t.Context(), c, 50, "pass", 1)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for outcomes, n := calls(short, c, 10, "hold", 1), 0; n < 10; n++ {
		if got := <-outcomes; got != "DEADLINE_EXCEEDED, executed maybe, not retryable" {
			t.Errorf("a call with a short deadline came to %s", got)
		}
	}
	st, err := c.Stream(t.Context(), "give")
	if err != nil {
		t.Fatal(err)
	}
	if *stopFor > 0 {
		<-time.After(*stopFor)
	}
	select {
	case got := <-patient:
		t.Errorf("a call came to %s while the service stood still", got)
	default:
	}
	cmd.Process.Signal(syscall.SIGCONT)
	for range 50 {
		if got := <-patient; got != "1" {
			t.Errorf("a call came to %s", got)
		}
	}
	if _, err := st.Recv(t.Context()); err != nil {
		t.Errorf("the stream: %v", err)
	}
	st.Close()
	settled(t, address, 1)
	if after := figuresOf(t, c); after.Requests < before.Requests+50 || after.Requests > before.Requests+61 {
		t.Errorf("before %+v, afterwards %+v", before, after)
	}
}

// TestAThousandClients connects them to one service at once. Each calls,
// listens and streams. Then the service is killed with a call of each under
// way, and they all come back to the next one.
func TestAThousandClients(t *testing.T) {
	leavesNothing(t)
	const clients = 1000
	address := localAddress(t)
	cmd := stageProcess(t, address)
	all := make([]*ipc.Client, clients)
	each := func(do func(i int, c *ipc.Client) error) {
		t.Helper()
		var wg sync.WaitGroup
		for i := range all {
			wg.Go(func() {
				if err := do(i, all[i]); err != nil {
					t.Errorf("client %d: %v", i, err)
				}
			})
		}
		wg.Wait()
	}
	calls := func(i int, c *ipc.Client) error {
		got, err := c.Call(t.Context(), "pass", i)
		if err == nil && got.String() != fmt.Sprint(i) {
			err = fmt.Errorf("got %s", got)
		}
		return err
	}
	each(func(i int, _ *ipc.Client) (err error) {
		all[i], err = ipc.Dial(t.Context(), address, noRetries)
		return err
	})
	t.Cleanup(func() {
		for _, c := range all {
			c.Close()
		}
	})
	if t.Failed() {
		return
	}
	each(calls)
	each(func(_ int, c *ipc.Client) error {
		sub, err := c.Subscribe(t.Context(), "noise", nil)
		if err != nil {
			return err
		}
		defer sub.Close()
		st, err := c.Stream(t.Context(), "both")
		if err != nil {
			return err
		}
		defer st.Close() // half-way
		if err := st.Send(t.Context(), 1); err != nil {
			return err
		}
		_, err = st.Recv(t.Context())
		return err
	})
	settled(t, address, clients)

	outcomes := make(chan string, clients)
	for i, c := range all {
		go func() {
			got, err := c.Call(t.Context(), "hold", i)
			outcomes <- outcomeOf(got, err)
		}()
	}
	watch := dial(t, address, nil)
	running(t, watch, clients)
	kill(cmd)
	for range clients {
		if got := <-outcomes; got != lostMaybe {
			t.Errorf("a call came to %s", got)
		}
	}
	stageProcess(t, address)
	each(calls)
	settled(t, address, clients)
}
