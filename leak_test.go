package ipc_test

import (
	"context"
	"os"
	"runtime"
	"testing"

	"github.com/ekkojs/ipc"
)

// leavesNothing makes sure that the test ends with as many descriptors as it
// began with. It comes first in a test, so that it looks when all else is
// through. Goroutines are looked after by goleak in TestMain.
func leavesNothing(t *testing.T) {
	t.Helper()
	l, _ := listenRaw(t) // the runtime's own, if this is the first socket
	l.Close()
	before := descriptors(t)
	t.Cleanup(func() {
		if after := descriptors(t); after != before {
			t.Errorf("%d descriptors were open before the test, and %d are after it", before, after)
		}
	})
}

// descriptors counts the open ones, where the system shows them.
func descriptors(t *testing.T) int {
	dir := "/dev/fd"
	switch runtime.GOOS {
	case "linux":
		dir = "/proc/self/fd"
	case "windows":
		return 0
	}
	open, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// figures are what a service counts.
type figures struct {
	Requests      int `json:"requests"`
	Connections   int `json:"connections"`
	Subscriptions int `json:"subscriptions"`
	Running       int `json:"running"`
	Waiting       int `json:"waiting"`
	Panics        int `json:"panics"`
}

func figuresOf(t *testing.T, c *ipc.Client) figures {
	t.Helper()
	f, err := ipc.Call[figures](context.Background(), c, "ipc.stats") // a test that ends asks too
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// settled waits until nothing runs, waits or is subscribed at the service, and
// it has no connections beside that from which it is asked and others.
func settled(t *testing.T, address string, others int) {
	t.Helper()
	c, err := ipc.Dial(context.Background(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for {
		f := figuresOf(t, c)
		if f.Panics != 0 {
			t.Errorf("%d panics", f.Panics)
		}
		if f.Connections == others+1 && f.Running == 0 && f.Waiting == 0 && f.Subscriptions == 0 {
			return
		}
		runtime.Gosched()
	}
}
