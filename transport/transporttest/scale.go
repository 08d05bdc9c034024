package transporttest

import (
	"bytes"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

func peerIdentity(t *testing.T, tr *Transport) {
	server, client := settled(t, tr, nil)
	for name, c := range map[string]transport.Conn{"server": server, "client": client} {
		got, want := c.Peer(), tr.Peer
		if got.Known != want.Known || got.UID != want.UID || got.GID != want.GID || got.PID != want.PID || got.SID != want.SID {
			t.Errorf("the %s's peer: got %+v, want %+v", name, got, want)
		}
	}
}

func allocations(t *testing.T, tr *Transport) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	if tr.Waits {
		t.Skip("not promised where every write waits")
	}
	server, client := settled(t, tr, nil)
	ask := run(payload(350, 1))
	trip := func() {
		for _, dir := range [][2]transport.Conn{{client, server}, {server, client}} {
			if n, err := dir[0].TryWrite(ask); n != len(ask) || err != nil {
				t.Fatal(n, err)
			}
			if _, err := dir[1].ReadFrame(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := testing.AllocsPerRun(500, trip); n > tr.Allocations {
		t.Errorf("%v allocations a round trip, and %v are allowed", n, tr.Allocations)
	}
}

func many(t *testing.T, tr *Transport) {
	n := tr.Many
	if n == 0 {
		n = 1000
	}
	var done sync.WaitGroup
	clients := make([]transport.Conn, n)
	for i := range n {
		server, client := pair(t, tr, nil)
		clients[i] = client
		done.Go(func() {
			for {
				frame, err := server.ReadFrame()
				if err != nil {
					return
				}
				write(t, server, run(frame))
			}
		})
	}
	for range 3 {
		for i, c := range clients {
			write(t, c, run(payload(i, 1)))
		}
		within(t, func() {
			for i, c := range clients {
				if got := read(t, c); !bytes.Equal(got, payload(i, 1)) {
					t.Errorf("connection %d got %s", i, short(got))
					return
				}
			}
		})
	}
	for _, c := range clients {
		c.Close()
	}
	within(t, done.Wait)
}

// leftovers runs after all others; goroutines are for goleak to look at.
func leftovers(t *testing.T, tr *Transport) {
	before := descriptors(t)
	t.Run("connections", func(t *testing.T) {
		for range 20 {
			server, client := settled(t, tr, nil)
			wait := alongside(t, func() { server.ReadFrame() })
			client.Close()
			wait()
			server.Close()
		}
	})
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	if runtime.GOOS != "linux" {
		return 0
	}
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no way to count descriptors:", err)
	}
	return len(names)
}
