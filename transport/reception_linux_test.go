package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc/transport"
)

// metWays are those of localWays whose clients are met at a place of their
// own.
var metWays = []localWay{{"fifo", fifoAddress}, {"mq", mqAddress}}

func eachMetWay(t *testing.T, f func(t *testing.T, address string)) {
	for _, way := range metWays {
		t.Run(way.name, func(t *testing.T) {
			address := way.address(t)
			f(t, address)
			if left := leftAt(address); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func init() {
	// say and wait dials, says one frame and half of another, and waits to be killed.
	errands["say and wait"] = func(args []string) int {
		c, err := transport.Dial(context.Background(), args[0], nil)
		if err != nil {
			return failed(err)
		}
		if err := c.Write([]byte{1, 0, 0, 0, 'x', 100, 0, 0, 0, 'h'}); err != nil {
			return failed(err)
		}
		fmt.Println("said")
		io.Copy(io.Discard, os.Stdin)
		return 0
	}
	// answer and wait accepts one, says the same, and waits to be killed.
	errands["answer and wait"] = func(args []string) int {
		l, err := transport.Listen(context.Background(), args[0], nil)
		if err != nil {
			return failed(err)
		}
		fmt.Println("listening")
		c, err := l.Accept()
		if err != nil {
			return failed(err)
		}
		if _, err := c.ReadFrame(); err != nil {
			return failed(err)
		}
		if err := c.Write([]byte{1, 0, 0, 0, 'x', 100, 0, 0, 0, 'h'}); err != nil {
			return failed(err)
		}
		fmt.Println("said")
		io.Copy(io.Discard, os.Stdin)
		return 0
	}
}

// kill ends an errand as kill -9 does.
func (e *errand) kill() {
	e.cmd.Process.Kill()
	e.wait()
}

// stop keeps an errand from going on, and returns when it does not.
func (e *errand) stop() {
	e.t.Helper()
	must(e.t, e.cmd.Process.Signal(syscall.SIGSTOP))
	must(e.t, unix.Waitid(unix.P_PID, e.cmd.Process.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil))
}

// survive checks what a connection makes of a peer that is killed while one
// goroutine waits for a frame and another for room.
func survive(t *testing.T, c transport.Conn, kill func()) {
	t.Helper()
	if frame, err := c.ReadFrame(); err != nil || string(frame) != "x" {
		t.Fatalf("got %q, %v", frame, err)
	}
	var both sync.WaitGroup
	both.Go(func() {
		if _, err := c.ReadFrame(); err != io.ErrUnexpectedEOF {
			t.Errorf("reading: got %v, want an unexpected EOF", err)
		}
	})
	full := make(chan struct{})
	both.Go(func() {
		frames := make([]byte, 1<<20) // empty ones
		for {
			if n, err := c.TryWrite(frames); n < len(frames) && err == nil {
				break
			}
		}
		close(full)
		if err := c.Write(frames); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("writing: got %v, want EPIPE", err)
		}
	})
	<-full
	kill()
	both.Wait()
	c.Close()
}

// TestF07_R09_DeathOfTheService: the end of its process is the end of what it
// said, also to who waits for room.
func TestF07_R09_DeathOfTheService(t *testing.T) {
	for _, way := range metWays {
		t.Run(way.name, func(t *testing.T) {
			address := way.address(t)
			e := sendOut(t, nil, "answer and wait", address)
			e.expect("listening")
			c := dialFor(t, address, &transport.Options{WriteTimeout: -1})
			must(t, c.Write([]byte{0, 0, 0, 0}))
			e.expect("said")
			survive(t, c, e.kill)
			if _, err := transport.Dial(t.Context(), address, nil); !errors.Is(err, transport.ErrRefused) {
				t.Errorf("dialling the dead: got %v, want ErrRefused", err)
			}
			must(t, listenFor(t, address, nil).Close())
			if left := leftAt(address); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestF07_R09_DeathOfTheClient(t *testing.T) {
	eachMetWay(t, func(t *testing.T, address string) {
		l := listenFor(t, address, nil)
		e := sendOut(t, nil, "say and wait", address)
		survive(t, acceptFor(t, l), func() {
			e.expect("said")
			e.kill()
		})
		must(t, l.Close())
	})
}

// waitFor returns when there is as much at an address as is wanted.
func waitFor(address string, want func(left []string) bool) {
	for !want(leftAt(address)) {
		runtime.Gosched()
	}
}

// pairThere reports whether a client's own place is among what is there.
func pairThere(left []string) bool {
	pair := 0
	for _, name := range left {
		if _, tail, ok := strings.Cut(name, "~"); ok && tail != "" {
			pair++
		}
	}
	return pair == 2
}

// TestF07_R09_KilledBeforeTheyMet: what both leave is removed by the next
// listener.
func TestF07_R09_KilledBeforeTheyMet(t *testing.T) {
	eachMetWay(t, func(t *testing.T, address string) {
		service := sendOut(t, nil, "hold", address)
		service.expect("listening")
		service.stop()
		client := sendOut(t, nil, "dial", address)
		waitFor(address, pairThere)
		client.kill()
		service.kill()
		if left := leftAt(address); !pairThere(left) {
			t.Fatalf("nothing was left behind but %q", left)
		}
		l := listenFor(t, address, nil)
		if left := leftAt(address); pairThere(left) {
			t.Errorf("a listener leaves %q", left)
		}
		dialFor(t, address, nil).Close()
		must(t, l.Close())
	})
}

// TestF07_R09_ServiceKilledWhileAClientWaits: the client that waits to be met
// is told, and takes its place away.
func TestF07_R09_ServiceKilledWhileAClientWaits(t *testing.T) {
	eachMetWay(t, func(t *testing.T, address string) {
		service := sendOut(t, nil, "hold", address)
		service.expect("listening")
		service.stop()
		client := sendOut(t, nil, "dial", address)
		waitFor(address, pairThere)
		service.kill()
		if said := client.says(); !strings.Contains(said, "nobody is listening") {
			t.Errorf("the client says %q", said)
		}
		client.wait()
		if left := leftAt(address); pairThere(left) {
			t.Errorf("the client leaves %q", left)
		}
		must(t, listenFor(t, address, nil).Close())
	})
}

// TestF07_R09_ClientKilledWhileItWaits: the service that comes too late takes
// its place away, and goes on.
func TestF07_R09_ClientKilledWhileItWaits(t *testing.T) {
	eachMetWay(t, func(t *testing.T, address string) {
		service := sendOut(t, nil, "hold", address)
		service.expect("listening")
		service.stop()
		clients := make([]*errand, 5)
		for i := range clients {
			clients[i] = sendOut(t, nil, "dial", address)
		}
		waitFor(address, func(left []string) bool { return len(left) > 2*len(clients) })
		for _, e := range clients {
			e.kill()
		}
		must(t, service.cmd.Process.Signal(syscall.SIGCONT))
		dialFor(t, address, nil).Close() // the one after them
		service.stdin.Close()
		service.wait()
	})
}

// TestF07_R09_WaitingIsCancelled: who waits for a service that does not come
// can stop to.
func TestF07_R09_WaitingIsCancelled(t *testing.T) {
	eachMetWay(t, func(t *testing.T, address string) {
		service := sendOut(t, nil, "hold", address)
		service.expect("listening")
		service.stop()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := transport.Dial(ctx, address, nil)
			done <- err
		}()
		waitFor(address, pairThere)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		if left := leftAt(address); pairThere(left) {
			t.Errorf("the client leaves %q", left)
		}
		must(t, service.cmd.Process.Signal(syscall.SIGCONT))
		service.stdin.Close()
		service.wait()
	})
}

// TestRetiredListenersServeWhoCameBefore: those are accepted, nobody else is,
// and the address is free.
func TestRetiredListenersServeWhoCameBefore(t *testing.T) {
	eachLocalWay(t, func(t *testing.T, address string) {
		l := listenFor(t, address, nil)
		before := dialFor(t, address, nil)
		defer before.Close()
		l.Retire()
		next := listenFor(t, address, nil)
		c := acceptFor(t, l)
		defer c.Close()
		must(t, before.Write([]byte{1, 0, 0, 0, 'x'}))
		if frame, err := c.ReadFrame(); err != nil || string(frame) != "x" {
			t.Errorf("got %q, %v", frame, err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: got %v, want net.ErrClosed", err)
		}
		must(t, l.Close())
		dialFor(t, address, nil).Close()
		acceptFor(t, next).Close()
		must(t, next.Close())
	})
}

// TestListenersTurnAwayWhoWasNotAccepted: Close ends connections that nobody
// has taken.
func TestListenersTurnAwayWhoWasNotAccepted(t *testing.T) {
	eachMetWay(t, func(t *testing.T, address string) {
		l := listenFor(t, address, nil)
		var waiting []transport.Conn
		for range 5 {
			waiting = append(waiting, dialFor(t, address, nil))
		}
		must(t, l.Close())
		for _, c := range waiting {
			if _, err := c.ReadFrame(); err != io.EOF {
				t.Errorf("got %v, want EOF", err)
			}
			c.Close()
		}
	})
}

// TestHalfClosedIsToldFromClosed: a peer that only says no more still reads.
func TestHalfClosedIsToldFromClosed(t *testing.T) {
	for _, way := range metWays {
		t.Run(way.name, func(t *testing.T) {
			server, bare := bareByAddress(way.address)(t, nil)
			defer server.Close()
			halfClosed := server.(interface{ HalfClosed() bool }).HalfClosed
			must(t, bare.CloseWrite())
			if _, err := server.ReadFrame(); err != io.EOF {
				t.Errorf("got %v, want EOF", err)
			}
			if !halfClosed() {
				t.Error("a peer that still reads seems closed")
			}
			bare.Close()
			if halfClosed() {
				t.Error("a peer that has closed seems to read")
			}
		})
	}
}

// TestF03_WhateverTheUmask: others are kept out, and their owner is not.
func TestF03_WhateverTheUmask(t *testing.T) {
	eachMetWay(t, func(t *testing.T, address string) {
		for _, umask := range []int{0, 0o077, 0o777} {
			old := syscall.Umask(umask)
			l, err := transport.Listen(t.Context(), address, nil)
			if err == nil {
				var c transport.Conn
				if c, err = transport.Dial(t.Context(), address, nil); err == nil {
					c.Close()
				}
				if path, ok := strings.CutPrefix(address, "fifo:"); ok {
					if st, err := os.Lstat(path); err != nil || st.Mode() != os.ModeNamedPipe|0o600 {
						t.Errorf("umask %03o: mode %v, %v", umask, st.Mode(), err)
					}
				}
				l.Close()
			}
			syscall.Umask(old)
			must(t, err)
		}
	})
}

// TestF03_OthersAreKeptOut: another user cannot knock.
func TestF03_OthersAreKeptOut(t *testing.T) {
	needRoot(t)
	base := shortDir(t)
	must(t, os.Chmod(base, 0o755))
	l := listenFor(t, "fifo:"+filepath.Join(base, "f"), nil)
	said := sendOut(t, as(stranger), "dial", l.Addr()).says()
	if !strings.Contains(said, "untrusted path") {
		t.Errorf("a stranger at a FIFO says %q", said)
	}
	q := listenFor(t, mqAddress(t), nil) // each user has names of his own
	if said := sendOut(t, as(stranger), "dial", q.Addr()).says(); !strings.Contains(said, "no such file") {
		t.Errorf("a stranger at a queue says %q", said)
	}
}

// TestF10_FewDescriptorsForMeeting: a service without descriptors serves whom
// it has, and meets the others when there is room.
func TestF10_FewDescriptorsForMeeting(t *testing.T) {
	address := fifoAddress(t)
	e := sendOut(t, nil, "serve starved", address)
	e.expect("listening")
	echo := func(c transport.Conn) {
		t.Helper()
		must(t, c.Write([]byte{1, 0, 0, 0, 'x'}))
		if frame, err := c.ReadFrame(); err != nil || string(frame) != "x" {
			t.Fatalf("got %q, %v", frame, err)
		}
	}
	const n = 100 // of 64 descriptors each connection takes two
	met := make(chan transport.Conn)
	for range n {
		go func() {
			c, err := transport.Dial(context.Background(), address, nil)
			if err != nil {
				t.Error(err)
			}
			met <- c
		}()
	}
	first := <-met
	for range 1000 {
		echo(first)
	}
	for range n - 1 { // each makes room for another
		if c := <-met; c != nil {
			echo(c)
			c.Close()
		}
	}
	first.Close()
	e.stdin.Close()
	e.wait()
}
