package transporttest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
)

func shortWrite(t *testing.T, tr *Transport) {
	server, client := settled(t, tr, &transport.Options{MaxFrame: transport.MaxMaxFrame})
	want := [][]byte{payload(100, 1), payload(8<<20, 2), payload(1000, 3)}
	frames := run(want...)
	n, err := client.TryWrite(frames)
	if err != nil {
		t.Fatal(err)
	}
	if n == len(frames) || n == 0 && !tr.Waits {
		t.Fatalf("TryWrite took %d of %d bytes with nobody reading", n, len(frames))
	}
	// Whatever is left goes in any mixture of the two.
	wait := alongside(t, func() {
		for rest := frames[n:]; len(rest) > 0; {
			part := rest[:min(len(rest), 300_000)]
			m, err := client.TryWrite(part)
			if err == nil && m == 0 {
				m, err = len(part), client.Write(part)
			}
			if err != nil {
				t.Error(err)
				return
			}
			rest = rest[m:]
		}
	})
	expect(t, server, want...)
	wait()
}

func writeDeadline(t *testing.T, tr *Transport) {
	_, client := settled(t, tr, &transport.Options{WriteTimeout: 30 * time.Millisecond})
	fill(t, client)
	within(t, func() {
		start := time.Now()
		err := client.Write(run(payload(16<<20, 1)))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write: got %v, want a deadline exceeded", err)
		}
		if took := time.Since(start); took < 30*time.Millisecond {
			t.Errorf("gave up after %v", took)
		}
	})
	// Half a frame may be out: there is no going on.
	if err := client.Write(run(nil)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the next Write: got %v", err)
	}
	if _, err := client.TryWrite(run(nil)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the next TryWrite: got %v", err)
	}
}

func cleanEnd(t *testing.T, tr *Transport) {
	server, client := settled(t, tr, nil)
	write(t, client, run([]byte("last")))
	client.Close()
	expect(t, server, []byte("last"))
	for range 3 {
		expectIs(t, server, io.EOF)
	}
}

// endIsNotHalf: a peer that has gone is not taken for one that can still be
// answered, however soon one looks.
func endIsNotHalf(t *testing.T, tr *Transport) {
	for range 100 {
		server, client := pair(t, tr, nil)
		half, ok := server.(interface{ HalfClosed() bool })
		if !ok {
			t.Skip("this transport cannot tell")
		}
		wait := alongside(t, func() {
			if _, err := server.ReadFrame(); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, want io.EOF", err)
			}
			if half.HalfClosed() {
				t.Error("who has closed the connection is waited for")
			}
		})
		client.Close()
		wait()
		server.Close()
	}
}

func closeUnblocksRead(t *testing.T, tr *Transport) {
	for range 50 {
		server, client := pair(t, tr, nil)
		started := make(chan struct{})
		wait := alongside(t, func() {
			close(started)
			if _, err := server.ReadFrame(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v, want net.ErrClosed", err)
			}
		})
		<-started
		server.Close()
		wait()
		client.Close()
	}
}

func closeUnblocksWrite(t *testing.T, tr *Transport) {
	for range 5 {
		server, client := settled(t, tr, nil)
		fill(t, client)
		started := make(chan struct{})
		wait := alongside(t, func() {
			close(started)
			if err := client.Write(run(payload(16<<20, 1))); !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v, want net.ErrClosed", err)
			}
		})
		<-started
		client.Close()
		wait()
		server.Close()
	}
}

func closeTwice(t *testing.T, tr *Transport) {
	server, client := settled(t, tr, nil)
	for range 3 {
		if err := client.Close(); err != nil {
			t.Error("Close:", err)
		}
	}
	client.InterruptRead()
	expectIs(t, client, net.ErrClosed)
	if err := client.Write(run([]byte("x"))); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write: got %v, want net.ErrClosed", err)
	}
	if _, err := client.TryWrite(run([]byte("x"))); !errors.Is(err, net.ErrClosed) {
		t.Errorf("TryWrite: got %v, want net.ErrClosed", err)
	}
	expectIs(t, server, io.EOF)
}

func interruptWait(t *testing.T, tr *Transport) {
	server, client := settled(t, tr, nil)
	for range 200 {
		wait := alongside(t, func() {
			if _, err := server.ReadFrame(); !errors.Is(err, transport.ErrInterrupted) {
				t.Errorf("got %v, want ErrInterrupted", err)
			}
		})
		server.InterruptRead()
		wait()
	}
	write(t, client, run([]byte("after")))
	expect(t, server, []byte("after"))
}

func interruptBefore(t *testing.T, tr *Transport) {
	server, client := settled(t, tr, nil)
	write(t, client, run([]byte("a"), []byte("b")))
	expect(t, server, []byte("a"))
	server.InterruptRead()
	if _, err := server.ReadFrame(); !errors.Is(err, transport.ErrInterrupted) {
		t.Errorf("got %v, want ErrInterrupted", err)
	}
	expect(t, server, []byte("b"))
}

func interruptLosesNothing(t *testing.T, tr *Transport) {
	server, client := settled(t, tr, nil)
	const n = 150
	size := func(i int) int { return i * 7919 % 150_000 }
	var stop atomic.Bool
	waitInterrupts := alongside(t, func() {
		for !stop.Load() {
			server.InterruptRead()
		}
	})
	wait := alongside(t, func() {
		for i := range n {
			write(t, client, run(payload(size(i), 1)))
		}
	})
	for i := range n {
		expect(t, server, payload(size(i), 1))
	}
	stop.Store(true)
	waitInterrupts()
	wait()
}

func detachKeeps(t *testing.T, tr *Transport) {
	server, client := settled(t, tr, nil)
	sizes := []int{0, 1, 100, block - 4, block, 3 * block}
	var kept [][]byte
	for round := range 30 {
		var want [][]byte
		for _, n := range sizes {
			want = append(want, payload(n, uint32(round)))
		}
		wait := alongside(t, func() { write(t, client, run(want...)) })
		within(t, func() {
			for range sizes {
				kept = append(kept, read(t, server))
				server.Detach()
			}
		})
		wait()
	}
	for i, got := range kept {
		if want := payload(sizes[i%len(sizes)], uint32(i/len(sizes))); !bytes.Equal(got, want) {
			t.Fatalf("detached frame %d became %s", i, short(got))
		}
	}
	server.Detach() // twice is harmless
	write(t, client, run([]byte("after")))
	expect(t, server, []byte("after"))
}

func detachTakesOver(t *testing.T, tr *Transport) {
	server, client := settled(t, tr, nil)
	const n = 100
	size := func(i int) int { return i * 733 % 100_000 }
	wait := alongside(t, func() {
		for i := range n {
			write(t, client, run(payload(size(i), 1)))
		}
	})
	// Each goroutine looks at its frame while the next one already reads.
	done := make(chan struct{})
	var turn func(i int)
	turn = func(i int) {
		if i == n {
			close(done)
			return
		}
		frame := read(t, server)
		goOn := make(chan struct{})
		go func() {
			close(goOn)
			server.Detach()
			turn(i + 1)
		}()
		<-goOn
		if !bytes.Equal(frame, payload(size(i), 1)) {
			t.Errorf("frame %d changed while it was in use", i)
		}
	}
	go turn(0)
	within(t, func() { <-done })
	wait()
}
