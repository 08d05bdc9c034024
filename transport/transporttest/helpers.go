package transporttest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
)

// patience is how long anything may take before it counts as stuck.
const patience = time.Minute

// run returns the payloads as a run of frames.
func run(payloads ...[]byte) []byte {
	var b []byte
	for _, p := range payloads {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

// letters has no short period, so that bytes in the wrong place show.
var letters = func() []byte {
	p := make([]byte, 1<<16+1)
	x := uint32(1)
	for i := range p {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		p[i] = 'a' + byte(x%26)
	}
	return p
}()

// payload returns n bytes that depend on n and seed, and that are a line.
func payload(n int, seed uint32) []byte {
	p := make([]byte, n)
	at := (seed*2654435761 + uint32(n)*31) % uint32(len(letters))
	for rest := p; len(rest) > 0; at = 0 {
		rest = rest[copy(rest, letters[at:]):]
	}
	return p
}

// alongside runs f on another goroutine and returns how to wait for it.
func alongside(t testing.TB, f func()) (wait func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return func() {
		t.Helper()
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatal("stuck")
		}
	}
}

// within fails the test if f does not return.
func within(t testing.TB, f func()) {
	t.Helper()
	alongside(t, f)()
}

func write(t testing.TB, c transport.Conn, frames []byte) {
	t.Helper()
	n, err := c.TryWrite(frames)
	if err == nil && n < len(frames) {
		err = c.Write(frames[n:])
	}
	if err != nil {
		t.Error("write:", err)
	}
}

// read returns the next frame, past interruptions.
func read(t testing.TB, c transport.Conn) []byte {
	t.Helper()
	for {
		frame, err := c.ReadFrame()
		switch {
		case errors.Is(err, transport.ErrInterrupted):
		case err != nil:
			t.Errorf("ReadFrame: %v", err)
			return nil
		default:
			return frame
		}
	}
}

func expect(t testing.TB, c transport.Conn, want ...[]byte) {
	t.Helper()
	within(t, func() {
		for i, w := range want {
			if got := read(t, c); !bytes.Equal(got, w) {
				t.Errorf("frame %d of %d: got %s, want %s", i+1, len(want), short(got), short(w))
				return
			}
		}
	})
	if t.Failed() {
		t.FailNow()
	}
}

// expectError reads until an error other than an interruption comes.
func expectError(t testing.TB, c transport.Conn) (err error) {
	t.Helper()
	within(t, func() {
		var frame []byte
		for frame, err = c.ReadFrame(); errors.Is(err, transport.ErrInterrupted); frame, err = c.ReadFrame() {
		}
		if err == nil {
			t.Errorf("got frame %s, want an error", short(frame))
		}
	})
	return err
}

func expectIs(t testing.TB, c transport.Conn, want error) {
	t.Helper()
	if err := expectError(t, c); !errors.Is(err, want) {
		t.Fatalf("ReadFrame: got error %v, want %v", err, want)
	}
}

func short(p []byte) string {
	if len(p) > 40 {
		return fmt.Sprintf("%q… of %d bytes", p[:30], len(p))
	}
	return strconv.Quote(string(p))
}

// fill writes to a peer that does not read until no more is taken.
func fill(t testing.TB, c transport.Conn) {
	t.Helper()
	frames := run(payload(1<<16, 1))
	for rest := frames; ; {
		n, err := c.TryWrite(rest)
		if err != nil {
			t.Fatal("TryWrite:", err)
		}
		if n < len(rest) && n == 0 {
			return
		}
		if rest = rest[n:]; len(rest) == 0 {
			rest = frames
		}
	}
}

// pair is tr.Pair with both ends closed at the end of the test.
func pair(t testing.TB, tr *Transport, o *transport.Options) (server, client transport.Conn) {
	t.Helper()
	server, client = tr.Pair(t, o)
	t.Cleanup(func() { server.Close(); client.Close() })
	return server, client
}

// settled is a pair whose server knows the framing.
func settled(t testing.TB, tr *Transport, o *transport.Options) (server, client transport.Conn) {
	t.Helper()
	server, client = pair(t, tr, o)
	write(t, client, run([]byte("first")))
	expect(t, server, []byte("first"))
	return server, client
}

func raw(t testing.TB, tr *Transport, o *transport.Options) (server transport.Conn, client Bare) {
	t.Helper()
	server, client = tr.Raw(t, o)
	t.Cleanup(func() { server.Close(); client.Close() })
	return server, client
}

// send writes bytes on another goroutine, since nobody may be reading yet.
func send(t testing.TB, client Bare, parts ...[]byte) (wait func()) {
	t.Helper()
	return alongside(t, func() {
		for _, p := range parts {
			if _, err := client.Write(p); err != nil {
				t.Error("writing bytes:", err)
				return
			}
		}
	})
}
