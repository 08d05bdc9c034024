//go:build unix && !race

package ipc_test

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ekkojs/ipc"
)

// successor starts the fixture as a process with a socket that is already
// there, as systemd starts services.
func successor(t *testing.T, socket *os.File) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), serveEnv+"=manifest", "LISTEN_FDS=1", "LISTEN_FDNAMES=web.socket")
	cmd.Stderr, cmd.ExtraFiles = os.Stderr, []*os.File{socket}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "ready unix:") {
		t.Fatalf("the process said %q, %v", line, err)
	}
	return cmd
}

// TestRestartsRefuseNobody restarts a service a hundred times under calls. Its
// socket is not its own, so there is always somebody to connect to: each call
// is answered, and each new client let in.
func TestRestartsRefuseNobody(t *testing.T) {
	const restarts = 100
	address := localAddress(t)
	l, err := net.Listen("unix", address[len("unix:"):])
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()

	ctx, stop := context.WithCancel(context.Background())
	var callers sync.WaitGroup
	answered := make([]int, 4)
	progress := make(chan struct{})
	for i := range answered {
		callers.Go(func() {
			for ctx.Err() == nil {
				// A new client for each few calls, so that many connect
				// while nobody accepts.
				c, err := ipc.Dial(context.Background(), address, nil)
				if err != nil {
					t.Errorf("refused: %v", err)
					return
				}
				for range 5 {
					if _, err := c.Call(context.Background(), "echo", i); err != nil {
						t.Errorf("after %d calls: %v", answered[i], err)
						stop()
						break
					}
					answered[i]++
					select {
					case progress <- struct{}{}:
					default:
					}
				}
				c.Close()
			}
		})
	}
	for range restarts {
		cmd := successor(t, socket)
		for range 20 { // calls that it answers before it goes
			select {
			case <-progress:
			case <-ctx.Done():
			}
		}
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	last := successor(t, socket)
	stop()
	callers.Wait()
	kill(last)
	t.Logf("%d restarts, %v calls answered", restarts, answered)
	for i, n := range answered {
		if n == 0 {
			t.Errorf("caller %d was never answered", i)
		}
	}
}
