package transport_test

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
)

// TestF10_FewDescriptors: a service that has used up its descriptors goes on
// serving whom it has, does not spin, and takes the others when there is room.
func TestF10_FewDescriptors(t *testing.T) {
	address := unixAddress(t)
	e := sendOut(t, nil, "serve starved", address)
	e.expect("listening")
	echo := func(c transport.Conn) {
		t.Helper()
		if err := c.Write([]byte{1, 0, 0, 0, 'x'}); err != nil {
			t.Fatal(err)
		}
		if frame, err := c.ReadFrame(); err != nil || string(frame) != "x" {
			t.Fatalf("got %q, %v", frame, err)
		}
	}
	first := dialFor(t, address, nil)
	defer first.Close()
	echo(first)
	const n = 300
	others := make([]transport.Conn, n)
	for i := range others {
		others[i] = dialFor(t, address, nil)
		defer others[i].Close()
	}
	for range 1000 {
		echo(first)
	}
	start := time.Now()
	for _, c := range others[:n-20] {
		c.Close()
	}
	for _, c := range others[n-20:] {
		echo(c)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("recovery took %v", took)
	}
	first.Close()
	for _, c := range others {
		c.Close()
	}
	e.stdin.Close()
	e.wait()
	state := e.cmd.ProcessState
	if cpu := state.SystemTime() + state.UserTime(); cpu > 5*time.Second {
		t.Errorf("the service took %v of CPU", cpu)
	}
}

func init() {
	// serve starved echoes, with very few descriptors, until its input ends.
	errands["serve starved"] = func(args []string) int {
		limit := syscall.Rlimit{Cur: 64, Max: 64}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			fmt.Println(err)
			return 1
		}
		l, err := transport.Listen(context.Background(), args[0], nil)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					for {
						if _, err := c.ReadFrame(); err != nil {
							return
						}
						if err := c.Write([]byte{1, 0, 0, 0, 'x'}); err != nil {
							return
						}
					}
				}()
			}
		}()
		fmt.Println("listening")
		var end [1]byte
		os.Stdin.Read(end[:])
		l.Close()
		return 0
	}
}
