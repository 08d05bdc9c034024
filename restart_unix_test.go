//go:build unix && !race

package ipc_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/store/disk"
)

// restartWith is how many messages TestARestartWithMuchThatIsKept begins with
// in the end: make restart sets it.
var restartWith = flag.Int("restart", 100_000, "how many messages a service finds when it starts")

// restartData is the payload of the message with that number.
func restartData(n int) string { return fmt.Sprintf(`"%d %s"`, n, strings.Repeat("x", 240)) }

// keepMany puts so many messages into the logs of the service, as it does
// itself, and quicker.
func keepMany(t *testing.T, dir string, n int) {
	t.Helper()
	kept, err := disk.Open(filepath.Join(dir, "logs"), &disk.Options{MaxWaiting: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"archive", "jobs"} {
		l, err := kept.Log(name, store.Limits{Bytes: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			l.Append(store.Record{Name: name, ID: fmt.Sprint(name, "-message-", i), Data: []byte(restartData(i))}, func(r store.Receipt) {
				if r.Err != nil {
					t.Error(r.Err)
				}
			})
		}
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
}

// takeAll receives and acknowledges so many messages, each of which is to
// come once.
func takeAll(t *testing.T, sub *ipc.Subscription, n int) {
	t.Helper()
	events := make(chan *ipc.Event)
	var takers sync.WaitGroup
	for range 8 {
		takers.Go(func() {
			for e := range events {
				if err := e.Ack(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := make(map[string]bool, n)
	for range n {
		e := mustNext(t, sub)
		seen[e.Data.String()] = true
		events <- e
	}
	close(events)
	takers.Wait()
	for i := range n {
		if !seen[restartData(i)] {
			t.Fatalf("message %d has not come, of %d", i, len(seen))
		}
	}
}

// TestARestartWithMuchThatIsKept is K15: a service is started that finds
// messages for a group of a queue and for a durable subscription. How soon it
// is ready is told, and all of them are delivered.
func TestARestartWithMuchThatIsKept(t *testing.T) {
	for _, n := range []int{0, 1, *restartWith} {
		dir, address := t.TempDir(), localAddress(t)
		subscribe := func() (*ipc.Client, [2]*ipc.Subscription) {
			c := dial(t, address, nil)
			return c, [...]*ipc.Subscription{
				mustSubscribe(t, c, "jobs", &ipc.SubscribeOptions{Group: "packers", Credit: ipc.MaxCredit}),
				mustSubscribe(t, c, "archive", &ipc.SubscribeOptions{Durable: "reader", Credit: ipc.MaxCredit}),
			}
		}
		_, stop := startKept(t, dir, address)
		c, _ := subscribe()
		c.Close()
		stop()
		keepMany(t, dir, n)

		began := time.Now()
		cmd := keptProcess(t, dir, address)
		ready, size := time.Since(began), residentSize(cmd)
		c, subs := subscribe()
		for _, sub := range subs {
			takeAll(t, sub, n)
		}
		t.Logf("%d messages of 256 bytes for each: ready after %d ms with %s, all delivered after %d ms with %s",
			n, ready.Milliseconds(), size, time.Since(began).Milliseconds(), residentSize(cmd))
		queues, err := c.Queues(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range queues {
			for _, g := range q.Groups {
				if g.Waiting > 0 || g.Pending > 0 || g.Acked != uint64(n) || g.Redelivered > 0 {
					t.Errorf("%s of %s: %+v", g.Name, q.Channel, g)
				}
			}
		}
		c.Close()
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// residentSize is how much memory a process has and had, where the system
// shows it.
func residentSize(cmd *exec.Cmd) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		return "memory that " + runtime.GOOS + " does not show"
	}
	var sizes []string
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "VmHWM") {
			sizes = append(sizes, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(sizes, ", ")
}
