package transporttest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
)

// The memory of a long frame grows in steps that are powers of two: the
// lengths around them, and what memory held before, are where receiving goes
// wrong.

// steps are the lengths at which the memory for a frame ends, up to max.
func steps(max int) (lengths []int) {
	for n := 1; n < max; n *= 2 {
		lengths = append(lengths, n)
	}
	return append(lengths, max)
}

// longest is how long frames get in the facts of this file: the race detector
// makes the longest ones slow and finds nothing in them.
func longest() int {
	if raceEnabled {
		return 1 << 20
	}
	return transport.MaxMaxFrame
}

var allowLong = &transport.Options{MaxFrame: transport.MaxMaxFrame}

func aroundSteps(t *testing.T, tr *Transport) {
	exchange := func(server, client transport.Conn, n int) {
		t.Helper()
		want := payload(n, 1)
		wait := alongside(t, func() { write(t, client, run(want, []byte("after"))) })
		expect(t, server, want, []byte("after"))
		wait()
	}
	var lengths []int
	for _, n := range steps(longest()) {
		for d := -1; d <= 1; d++ {
			if n+d > 0 && n+d <= transport.MaxMaxFrame {
				lengths = append(lengths, n+d)
			}
		}
	}
	server, client := pair(t, tr, allowLong)
	for _, n := range lengths { // the last one was about as long
		exchange(server, client, n)
	}
	for i := range lengths { // the last one was longer
		exchange(server, client, lengths[len(lengths)-1-i])
	}
	for _, n := range lengths { // there was none before
		if n > block/2 {
			server, client := pair(t, tr, allowLong)
			exchange(server, client, n)
			server.Close()
			client.Close()
		}
	}
}

// byteByByte sends the bytes around each step one at a time.
func byteByByte(t *testing.T, tr *Transport) {
	for _, n := range []int{block - 4, block - 3, block, 2*block + 1, 4*block + 3} {
		want := payload(n, 1)
		text := run(want)
		var parts [][]byte
		slow := append(steps(len(text)-1), 4, block/2+4, len(text)-1)
		for at := 0; at < len(text); {
			end := at + 1
			if !near(at, slow) {
				for end < len(text) && !near(end, slow) {
					end++
				}
			}
			parts = append(parts, text[at:end])
			at = end
		}
		server, client := raw(t, tr, allowLong)
		for range 2 { // the second time the length is proven
			wait := send(t, client, parts...)
			expect(t, server, want)
			wait()
		}
		send(t, client, run([]byte("after")))()
		expect(t, server, []byte("after"))
	}
}

func near(at int, marks []int) bool {
	for _, m := range marks {
		if m-6 <= at && at <= m+6 {
			return true
		}
	}
	return false
}

// liesCost: a length of which only some bytes come costs a small multiple of
// those bytes, or what an earlier frame has proven.
func liesCost(t *testing.T, tr *Transport) {
	if raceEnabled && tr.Allocations > 0 {
		t.Skip("the race detector makes pools forget, and whoever allocates at all may use many")
	}
	const slack = 1 << 20
	for _, c := range []struct{ proven, sent, cost int }{
		{0, 0, 0},
		{0, 1000, 0},
		{0, block/2 - 1, 0},
		{0, block, 6 * block},
		{0, 5 * block, 6 * 5 * block},
		{0, 20 * block, 6 * 20 * block},
		{3 * block, 1, 4 * block},
	} {
		server, client := raw(t, tr, allowLong)
		if c.proven > 0 {
			wait := send(t, client, run(payload(c.proven, 1)))
			expect(t, server, payload(c.proven, 1))
			wait()
		}
		lie := binary.LittleEndian.AppendUint32(nil, transport.MaxMaxFrame)
		lie = append(lie, payload(c.sent, 2)...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		wait := alongside(t, func() {
			client.Write(lie)
			client.Close()
		})
		expectIs(t, server, io.ErrUnexpectedEOF)
		wait()
		runtime.ReadMemStats(&after)
		if cost := int(after.TotalAlloc - before.TotalAlloc); cost > c.cost+slack {
			t.Errorf("%d bytes that announce 16 MiB, after a frame of %d, cost %d bytes", c.sent, c.proven, cost)
		}
		server.Close()
	}
}

// detachLong: a frame that is left to its user stays as it was, whatever
// comes after it, and has no more memory than is its.
func detachLong(t *testing.T, tr *Transport) {
	server, client := pair(t, tr, allowLong)
	var kept, want [][]byte
	for i, n := range steps(longest()) {
		if n < block/4 {
			continue
		}
		frames := [][]byte{payload(n, uint32(i)), []byte("between"), payload(n, uint32(i+100)), payload(n/2, uint32(i))}
		wait := alongside(t, func() { write(t, client, run(frames...)) })
		within(t, func() {
			frame := read(t, server)
			server.Detach()
			if got := read(t, server); !bytes.Equal(got, frames[1]) {
				t.Errorf("after a detached frame of %d bytes came %s", n, short(got))
			}
			kept, want = append(kept, frame), append(want, frames[0])
			frame = read(t, server)
			server.Detach()
			kept, want = append(kept, frame), append(want, frames[2])
			if got := read(t, server); !bytes.Equal(got, frames[3]) {
				t.Errorf("after two detached frames of %d bytes came %s", n, short(got))
			}
		})
		wait()
	}
	for i, frame := range kept {
		if !bytes.Equal(frame, want[i]) {
			t.Errorf("a detached frame of %d bytes became %s", len(want[i]), short(frame))
		}
		if cap(frame) != len(frame) {
			t.Errorf("a frame of %d bytes can be extended to %d", len(frame), cap(frame))
		}
	}
}

// nothingLeaks: connections that take turns with the same memory see their
// own frames only.
func nothingLeaks(t *testing.T, tr *Transport) {
	secret := bytes.Repeat([]byte("S"), 9*block)
	for n := 9*block - 1; n > block/2; n -= block + 1000 {
		server, client := pair(t, tr, allowLong)
		wait := alongside(t, func() { write(t, client, run(secret[:n+1])) })
		expect(t, server, secret[:n+1])
		wait()
		server2, client2 := raw(t, tr, allowLong) // one that breaks off
		wait = alongside(t, func() {
			client2.Write(run(secret[:n+1])[:n])
			client2.Close()
		})
		expectIs(t, server2, io.ErrUnexpectedEOF)
		wait()
		server2.Close()
		write(t, client, run(nil)) // gives the memory of the long one back
		expect(t, server, nil)

		server3, client3 := pair(t, tr, allowLong)
		want := bytes.Repeat([]byte("."), n)
		wait = alongside(t, func() { write(t, client3, run(want)) })
		within(t, func() {
			got := read(t, server3)
			if !bytes.Equal(got, want) || cap(got) != len(got) {
				t.Errorf("got %s with room for %d, want %s", short(got), cap(got), short(want))
			}
		})
		wait()
		for _, c := range []transport.Conn{server, client, server3, client3} {
			c.Close()
		}
	}
}

// interruptLong: whoever is interrupted within a long frame reads on where he
// stopped, and Detach and Buffered do it no harm.
func interruptLong(t *testing.T, tr *Transport) {
	server, client := raw(t, tr, allowLong)
	want := payload(5*block, 1)
	text := run(want)
	const part = 1 << 14
	for range 2 {
		for at := 0; at < len(text); at += part {
			if at+part >= len(text) {
				defer send(t, client, text[at:])()
				break
			}
			var sent, stop atomic.Bool
			waitSent := alongside(t, func() {
				client.Write(text[at : at+part])
				sent.Store(true)
			})
			wait := alongside(t, func() {
				for !stop.Load() {
					server.InterruptRead()
					runtime.Gosched()
				}
			})
			within(t, func() {
				for i := 0; i < 3 || !sent.Load(); i++ {
					if frame, err := server.ReadFrame(); !errors.Is(err, transport.ErrInterrupted) {
						t.Errorf("got %s, %v, want ErrInterrupted", short(frame), err)
						return
					}
				}
			})
			stop.Store(true)
			wait()
			waitSent()
			server.Detach()
			if server.Buffered() {
				t.Error("a part of a frame is Buffered")
			}
		}
		expect(t, server, want)
	}
	within(t, func() {
		wait := send(t, client, run([]byte("after")))
		if got := read(t, server); string(got) != "after" {
			t.Errorf("got %s", short(got))
		}
		wait()
	})
}

// halfCloseLong: a peer that ends its sending within a long frame has sent
// none, and can still be answered.
func halfCloseLong(t *testing.T, tr *Transport) {
	if tr.Whole {
		t.Skip("this transport ends both ways at once")
	}
	for _, n := range []int{100, block, 2 * block, 5 * block} {
		server, client := raw(t, tr, allowLong)
		wait := alongside(t, func() {
			client.Write(run([]byte("first"), payload(6*block, 1))[:n])
			client.CloseWrite()
		})
		expect(t, server, []byte("first"))
		expectIs(t, server, io.ErrUnexpectedEOF)
		wait()
		write(t, server, run([]byte("answer")))
		server.Close()
		within(t, func() {
			if got, err := io.ReadAll(client); !bytes.Contains(got, []byte("answer")) || err != nil {
				t.Errorf("after the end got %q, %v", got, err)
			}
		})
	}
}

// frameTimeout: a frame that does not go on is given up wherever it stands.
func frameTimeout(t *testing.T, tr *Transport) {
	if tr.Patient {
		t.Skip("a frame that stalls is waited for")
	}
	o := &transport.Options{MaxFrame: transport.MaxMaxFrame, FrameTimeout: 30 * time.Millisecond}
	for _, n := range []int{1, 5, block, 3 * block} {
		server, client := raw(t, tr, o)
		wait := send(t, client, run(payload(6*block, 1))[:n])
		expectIs(t, server, transport.ErrFrameTimeout)
		wait()
	}
}

// inTime tries a fact again with more time as long as it says that what was
// to be in time was not: on a busy machine anything may take long.
func inTime(t *testing.T, fact func(timeout time.Duration) bool) {
	t.Helper()
	for timeout := 50 * time.Millisecond; timeout < patience/4; timeout *= 4 {
		if fact(timeout) {
			return
		}
	}
	t.Error("what was to be in time was not")
}

// frameTimeoutOfAnother: that a frame came in time is not forgotten when its
// time is over.
func frameTimeoutOfAnother(t *testing.T, tr *Transport) {
	if tr.Patient {
		t.Skip("a frame that stalls is waited for")
	}
	want := payload(3*block, 1)
	text := run(want)
	inTime(t, func(timeout time.Duration) bool {
		o := &transport.Options{MaxFrame: transport.MaxMaxFrame, FrameTimeout: timeout}
		server, client := raw(t, tr, o)
		inParts := func() bool {
			wait := alongside(t, func() {
				for _, p := range [][]byte{text[:2], text[2:block], text[block:]} {
					client.Write(p)
				}
			})
			frame, err := server.ReadFrame()
			if err != nil {
				server.Close()
			}
			wait()
			if !errors.Is(err, transport.ErrFrameTimeout) && (err != nil || !bytes.Equal(frame, want)) {
				t.Errorf("got %s, %v", short(frame), err)
			}
			return err == nil
		}
		// Another connection says when the time is over.
		passes := func() {
			late, slow := raw(t, tr, o)
			send(t, slow, text[:5])()
			expectIs(t, late, transport.ErrFrameTimeout)
		}
		if !inParts() {
			return false
		}
		passes()
		if !inParts() { // with the deadline behind it
			return false
		}
		wait := alongside(t, func() {
			if got := read(t, server); string(got) != "after" {
				t.Errorf("got %s", short(got))
			}
		})
		passes() // while it waits
		send(t, client, run([]byte("after")))()
		wait()
		server.InterruptRead()
		if _, err := server.ReadFrame(); !errors.Is(err, transport.ErrInterrupted) {
			t.Errorf("got %v, want ErrInterrupted", err)
		}
		wait = send(t, client, text[:block])
		expectIs(t, server, transport.ErrFrameTimeout)
		wait()
		return true
	})
}

// writeDeadlineOfAnother: the deadline of a write that was through in time
// does not hit a later one.
func writeDeadlineOfAnother(t *testing.T, tr *Transport) {
	long := run(payload(40*block, 1))
	inTime(t, func(timeout time.Duration) bool {
		o := &transport.Options{MaxFrame: transport.MaxMaxFrame, WriteTimeout: timeout}
		server, client := settled(t, tr, o)
		goesThrough := func() bool {
			wait := alongside(t, func() {
				frame, err := server.ReadFrame()
				if err == nil && !bytes.Equal(frame, long[4:]) {
					t.Errorf("got %s", short(frame))
				}
			})
			err := client.Write(long)
			if err != nil {
				server.Close()
			}
			wait()
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("Write:", err)
			}
			return err == nil
		}
		timesOut := func(c transport.Conn) {
			within(t, func() {
				var start time.Time
				var err error
				for err == nil { // the first ones may fit into buffers that grow
					start = time.Now()
					err = c.Write(long)
				}
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("Write: got %v, want a deadline exceeded", err)
				}
				if took := time.Since(start); took < timeout {
					t.Errorf("gave up after %v", took)
				}
			})
		}
		if !goesThrough() {
			return false
		}
		_, stuck := settled(t, tr, o)
		fill(t, stuck)
		timesOut(stuck) // that is how long the first deadline takes to pass
		if !goesThrough() {
			return false
		}
		fill(t, client)
		timesOut(client) // while it waits the second passes
		return true
	})
}
