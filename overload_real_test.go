//go:build overload

package ipc_test

import (
	"flag"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
)

// overloadFor is set by make overload.
var overloadFor = flag.Duration("overload", time.Minute, "how long to overload a service in another process")

// TestL9_OverloadForReal is TestL9_Overload between two processes of this
// machine. It says what it measures.
func TestL9_OverloadForReal(t *testing.T) {
	for _, x := range []struct {
		name, method string
		concurrent   int
	}{
		{"handlers that wait, eight of the method at once", "wait", 0},
		{"handlers that compute, two per processor in the service", "compute", 2 * runtime.GOMAXPROCS(0)},
		{"handlers that compute, no limit set", "compute", 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Setenv(busyEnv, strconv.Itoa(x.concurrent))
			address := localAddress(t)
			process(t, address)
			var clients []*ipc.Client
			for range 8 {
				clients = append(clients, dial(t, address, noRetries))
			}
			overload(t, work{clients, x.method, time.Second}, 32, *overloadFor)
			t.Log("the aims: goodput 80 %, refusals within 50 ms, recovered after 5 s")
		})
	}
}
