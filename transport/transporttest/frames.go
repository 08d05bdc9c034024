package transporttest

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

// block is how much transports receive at once: the lengths around it are
// where cutting goes wrong.
const block = 64 << 10

func bothWays(t *testing.T, tr *Transport) {
	server, client := pair(t, tr, nil)
	for range 3 {
		write(t, client, run([]byte("ask")))
		expect(t, server, []byte("ask"))
		write(t, server, run([]byte("answer")))
		expect(t, client, []byte("answer"))
	}
}

func coalesced(t *testing.T, tr *Transport) {
	server, client := pair(t, tr, nil)
	var want [][]byte
	for i := range 100 {
		want = append(want, payload(i, 3))
	}
	write(t, client, run(want...))
	expect(t, server, want...)
	if server.Buffered() {
		t.Error("Buffered after the last frame")
	}
	// The first frame of a connection says the framing, and then as many as
	// were received with it are there.
	write(t, client, run(want[:4]...))
	expect(t, server, want[0])
	for _, w := range want[1:4] {
		if !server.Buffered() {
			t.Skip("frames written together were received apart")
		}
		expect(t, server, w)
	}
}

func empty(t *testing.T, tr *Transport) {
	server, client := pair(t, tr, nil)
	write(t, client, run(nil, []byte("x"), nil))
	expect(t, server, nil, []byte("x"), nil)
	write(t, client, run(nil))
	within(t, func() {
		if frame, err := server.ReadFrame(); frame == nil || len(frame) != 0 || err != nil {
			t.Errorf("got %v, %v, want an empty frame that is not nil", frame, err)
		}
	})
}

func aroundBlocks(t *testing.T, tr *Transport) {
	server, client := pair(t, tr, nil)
	for _, n := range []int{1, 2, 3, 10} {
		for d := -9; d <= 9; d++ {
			want := [][]byte{payload(n*block+d, 1), payload(7, 2), payload(block-4+d, 3)}
			wait := alongside(t, func() { write(t, client, run(want...)) })
			expect(t, server, want...)
			wait()
		}
	}
}

func large(t *testing.T, tr *Transport) {
	server, client := pair(t, tr, &transport.Options{MaxFrame: transport.MaxMaxFrame})
	for _, n := range []int{1 << 20, transport.MaxMaxFrame} {
		want := payload(n, 5)
		wait := alongside(t, func() { write(t, client, run(want, []byte("after"))) })
		expect(t, server, want, []byte("after"))
		wait()
		wait = alongside(t, func() { write(t, server, run(want)) })
		expect(t, client, want)
		wait()
	}
}

func limit(t *testing.T, tr *Transport) {
	for _, max := range []int{1, 100, block - 4, block, 3 * block} {
		server, client := pair(t, tr, &transport.Options{MaxFrame: max})
		wait := alongside(t, func() { client.Write(run(payload(max, 1), payload(max+1, 1))) })
		expect(t, server, payload(max, 1))
		expectFrameError(t, server, max)
		server.Close()
		wait()
	}
}

func expectFrameError(t *testing.T, c transport.Conn, max int) {
	t.Helper()
	var fe *transport.FrameError
	if err := expectError(t, c); !errors.As(err, &fe) || fe.Limit != max || fe.Actual <= int64(max) {
		t.Fatalf("got error %v, want a *FrameError over %d", err, max)
	}
}

func limitSticks(t *testing.T, tr *Transport) {
	server, client := pair(t, tr, &transport.Options{MaxFrame: 10})
	write(t, client, run(payload(11, 1), []byte("next")))
	for range 3 {
		expectFrameError(t, server, 10)
		if !server.Buffered() {
			t.Error("an error for good is not Buffered")
		}
	}
}

func duplex(t *testing.T, tr *Transport) {
	server, client := settled(t, tr, nil)
	const n = 100
	wait := alongside(t, func() {
		for i := range n {
			write(t, server, run(payload(i*531%200_000, 1)))
		}
	})
	waitRead := alongside(t, func() {
		for i := range n {
			if got := read(t, server); !bytes.Equal(got, payload(i*977%200_000, 2)) {
				t.Errorf("frame %d is another", i)
				return
			}
		}
	})
	waitWrite := alongside(t, func() {
		for i := range n {
			write(t, client, run(payload(i*977%200_000, 2)))
		}
	})
	for i := range n {
		expect(t, client, payload(i*531%200_000, 1))
	}
	wait()
	waitRead()
	waitWrite()
}

func splitLengths(t *testing.T, tr *Transport) {
	want := [][]byte{payload(10, 1), nil, payload(0x0a0a, 2), []byte("{}\n"), payload(3, 4)}
	text := run(want...)
	for i := 0; i <= len(text); i += step(i, len(text)) {
		server, client := raw(t, tr, nil)
		wait := send(t, client, text[:i], text[i:])
		expect(t, server, want...)
		wait()
		server.Close()
		client.Close()
	}
	server, client := raw(t, tr, nil)
	wait := send(t, client, each(text)...)
	expect(t, server, want...)
	wait()
}

// step tries every split near the ends, where the headers are, and some in
// the long middle.
func step(i, n int) int {
	if i < 40 || i > n-40 {
		return 1
	}
	return min(97, n-39-i)
}

// each returns the bytes one by one.
func each(p []byte) (parts [][]byte) {
	for i := range p {
		parts = append(parts, p[i:i+1])
	}
	return parts
}

func lies(t *testing.T, tr *Transport) {
	server, client := raw(t, tr, &transport.Options{MaxFrame: transport.MaxMaxFrame})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	wait := send(t, client, []byte{0xff, 0xff, 0xff, 0x00}, payload(1000, 1))
	wait()
	client.Close()
	expectIs(t, server, io.ErrUnexpectedEOF)
	runtime.ReadMemStats(&after)
	if cost := after.TotalAlloc - before.TotalAlloc; cost > 1<<20 {
		t.Errorf("1,004 bytes that announce 16 MiB cost %d bytes", cost)
	}
}

func enormous(t *testing.T, tr *Transport) {
	// The fourth byte of the first frame's length says that it is a length.
	for _, head := range [][]byte{{0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 0x80}, {0, 0, 0, 1}} {
		server, client := raw(t, tr, &transport.Options{MaxFrame: transport.MaxMaxFrame})
		send(t, client, run([]byte("first")), head)()
		expect(t, server, []byte("first"))
		expectFrameError(t, server, transport.MaxMaxFrame)
	}
}

func cutOff(t *testing.T, tr *Transport) {
	text := run(payload(100, 1))
	for i := 1; i < len(text); i++ {
		server, client := raw(t, tr, nil)
		send(t, client, text, text[:i])()
		client.Close()
		expect(t, server, payload(100, 1))
		expectIs(t, server, io.ErrUnexpectedEOF)
		server.Close()
	}
	server, client := raw(t, tr, nil)
	wait := send(t, client, run(payload(3*block, 1))[:2*block])
	wait2 := alongside(t, func() { wait(); client.Close() })
	expectIs(t, server, io.ErrUnexpectedEOF)
	wait2()
}

func answerLengths(t *testing.T, tr *Transport) {
	server, client := raw(t, tr, nil)
	send(t, client, run([]byte("first")))()
	expect(t, server, []byte("first"))
	answer := run([]byte("one"), nil, []byte("two\n"))
	write(t, server, answer)
	got := make([]byte, len(answer))
	within(t, func() { io.ReadFull(client, got) })
	if !bytes.Equal(got, answer) {
		t.Errorf("got %q, want %q", got, answer)
	}
}

func halfClose(t *testing.T, tr *Transport) {
	if tr.Whole {
		t.Skip("this transport ends both ways at once")
	}
	for _, first := range [][]byte{run([]byte("{}")), []byte("{}\n")} {
		server, client := raw(t, tr, nil)
		send(t, client, first)()
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		expect(t, server, []byte("{}"))
		expectIs(t, server, io.EOF)
		write(t, server, run([]byte("answer")))
		server.Close()
		within(t, func() {
			if got, err := io.ReadAll(client); !bytes.Contains(got, []byte("answer")) || err != nil {
				t.Errorf("after the end got %q, %v", got, err)
			}
		})
	}
}
