package ipc_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ekkojs/ipc"
)

// serveEnv makes the test binary a service at the address it holds.
const serveEnv = "EKKO_IPC_TEST_SERVE"

// roles are what the test binary is when a variable of the environment says
// so, instead of a test. Each gets the variable's text.
var roles = map[string]func(how string) int{serveEnv: serveAsProcess, taskEnv: callAsProcess}

func TestMain(m *testing.M) {
	for env, role := range roles {
		if how := os.Getenv(env); how != "" {
			os.Exit(role(how))
		}
	}
	goleak.VerifyTestMain(m)
}

func serveAsProcess(address string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() { // the test that started it has ended, in whatever way
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	opts := ipc.ServiceOptions{Logger: quiet, Ready: func(a []string) { fmt.Println("ready", a[0]) }}
	s := newFixture(&opts)
	if os.Getenv(busyEnv) != "" {
		s = busyProcess(opts)
	}
	if os.Getenv(stageEnv) != "" {
		g := &stage{began: make(chan int, 4096), ended: make(chan error, 4096)}
		s = g.service(&opts)
	}
	if dir := os.Getenv(keptEnv); dir != "" {
		kept, store, err := newKept(dir, opts)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer store.Close()
		s = kept
	}
	var addresses []string
	if address != "manifest" { // which leaves it to the service
		addresses = []string{address}
	}
	if err := s.Serve(ctx, addresses...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process starts a service in a process of its own, which has ended when the
// test has.
func process(t *testing.T, address string) *exec.Cmd {
	t.Helper()
	return itself(t, serveEnv+"="+address)
}

// itself starts this program as another process and waits until it is ready.
func itself(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	return startChild(t, env...).cmd
}

// child is another process of this program.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Reader
}

// startChild is itself for who has more to say to the process.
func startChild(t *testing.T, env ...string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	c := &child{t, cmd, in, bufio.NewReader(out)}
	if line := c.hear(); !strings.HasPrefix(line, "ready ") {
		t.Fatalf("the process said %q", line)
	}
	return c
}

// hear returns the next line that the process says.
func (c *child) hear() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatalf("the process said %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

// goOn tells the process to do what comes next.
func (c *child) goOn() {
	c.t.Helper()
	if _, err := io.WriteString(c.in, "\n"); err != nil {
		c.t.Fatal(err)
	}
}

// TestServiceKilledMidCall kills a service with calls outstanding. Each call
// ends, with an error that does not claim to know whether it ran, and a new
// service takes the place of the dead one.
func TestServiceKilledMidCall(t *testing.T) {
	address := localAddress(t)
	for round := range 10 {
		cmd := process(t, address)
		c, err := ipc.Dial(t.Context(), address, nil)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		const calls = 20
		outcomes := make(chan error, calls)
		for range calls {
			go func() {
				_, err := c.Call(t.Context(), "wait")
				outcomes <- err
			}()
		}
		for { // until all of them are at the service
			stats, err := ipc.Call[struct {
				Requests int `json:"requests"`
			}](t.Context(), c, "ipc.stats")
			if err != nil {
				t.Fatal(err)
			}
			if stats.Requests == calls {
				break
			}
		}
		cmd.Process.Kill()
		cmd.Wait()
		for range calls {
			err := <-outcomes
			var e *ipc.Error
			if !errors.As(err, &e) || e.Code != ipc.CodeConnectionLost || e.Details.Executed != ipc.ExecutedMaybe || e.Details.Retryable {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if _, err := c.Call(t.Context(), "echo", 1); ipc.CodeOf(err) != ipc.CodeServiceUnavailable {
			t.Errorf("round %d: with the service gone: %v", round, err)
		}
		process(t, address)
		if _, err := c.Call(t.Context(), "echo", 1); err != nil {
			t.Errorf("round %d: the new service was not found: %v", round, err)
		}
		c.Close()
		// The second process is killed by the next round's clean-up only
		// after the first would need its address.
		address = localAddress(t)
	}
}

// TestServiceEndsOnSIGTERM lets a service end as its users do.
func TestServiceEndsOnSIGTERM(t *testing.T) {
	notOnWindows(t, "SIGTERM")
	address := localAddress(t)
	cmd := process(t, address)
	c := dial(t, address, nil)
	if _, err := c.Call(t.Context(), "echo", 1); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	left, err := filepath.Glob(filepath.Dir(strings.TrimPrefix(address, "unix:")) + "/*")
	if err != nil || len(left) != 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// TestClientKilledMidCall leaves handlers without their caller: their
// contexts end.
func TestClientKilledMidCall(t *testing.T) {
	m := parse(t, manifestText)
	s := ipc.NewService(m, &ipc.ServiceOptions{Logger: quiet})
	ended := make(chan error, 1)
	began := make(chan struct{}, 1)
	s.Handle("wait", func(ctx context.Context, _ *ipc.Request) (any, error) {
		began <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, nil
	})
	address := serve(t, s)
	c := raw(t, address)
	fmt.Fprintln(c, `{"type":"request","messageId":"1","action":"wait"}`)
	<-began
	c.Close()
	select {
	case err := <-ended:
		if err != context.Canceled {
			t.Errorf("the handler saw %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the handler still waits for a caller that is gone")
	}
}
