package ipc_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ekkojs/ipc"
)

// starvedEnv makes the test binary a service with few descriptors, at the
// address it holds.
const starvedEnv = "EKKO_IPC_TEST_STARVED"

// fewDescriptors is what is left to such a service.
const fewDescriptors = 256

func init() { roles[starvedEnv] = serveStarved }

func serveStarved(address string) int {
	limit := syscall.Rlimit{Cur: fewDescriptors, Max: fewDescriptors}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	s := newFixture(&ipc.ServiceOptions{
		Logger: quiet,
		Admit:  func(ipc.Caller) bool { return true }, // TCP says nothing of them
		Ready:  func(at []string) { fmt.Printf("ready at\n%s\n", at[0]) },
	})
	if err := s.Serve(ctx, address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestF10_AThousandConnects: a service that has no descriptors left for those
// who come answers those whom it has, and goes on when the others have gone.
func TestF10_AThousandConnects(t *testing.T) {
	for _, address := range []string{
		"unix:" + filepath.Join(t.TempDir(), "s"),
		"shm:" + filepath.Join(t.TempDir(), "s"),
		"tcp:127.0.0.1:0",
	} {
		scheme, _, _ := strings.Cut(address, ":")
		t.Run(scheme, func(t *testing.T) { floods(t, startChild(t, starvedEnv+"="+address)) })
	}
}

func floods(t *testing.T, service *child) {
	const connects, callers, callsOfEach = 1000, 8, 500
	address := service.hear()
	clients := make([]*ipc.Client, callers)
	for i := range clients {
		clients[i] = dial(t, address, nil)
		if _, err := clients[i].Call(t.Context(), "echo", i); err != nil {
			t.Fatal(err)
		}
	}
	var asked, answered atomic.Int32
	var all sync.WaitGroup
	starved := make(chan struct{})
	for _, c := range clients {
		all.Go(func() {
			for left := callsOfEach; left > 0; {
				select {
				case <-starved:
					left--
				default: // while the others come
				}
				n := asked.Add(1)
				if got, err := ipc.Call[int32](t.Context(), c, "echo", n); err == nil && got == n {
					answered.Add(1)
				} else {
					t.Log(err)
				}
			}
		})
	}
	flood := make([]net.Conn, connects)
	for i := range flood {
		flood[i] = connect(t, address)
		defer flood[i].Close()
	}
	for descriptorsOf(t, service) < fewDescriptors-1 { // accepting takes one before it has a client
		runtime.Gosched()
	}
	close(starved)
	all.Wait()
	if n, m := answered.Load(), asked.Load(); n < m/100*99 {
		t.Errorf("%d of %d calls were answered", n, m)
	}
	for _, c := range flood {
		c.Close()
	}
	if _, err := dial(t, address, nil).Call(t.Context(), "echo", "new"); err != nil {
		t.Error("when the others have gone:", err)
	}
}

// connect is a client that says nothing, and takes nothing.
func connect(t *testing.T, address string) net.Conn {
	t.Helper()
	scheme, at, _ := strings.Cut(address, ":")
	if scheme != "tcp" {
		scheme = "unix"
	}
	c, err := net.Dial(scheme, at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func descriptorsOf(t *testing.T, c *child) int {
	t.Helper()
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}
