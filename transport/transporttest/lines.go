package transporttest

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

func splitLines(t *testing.T, tr *Transport) {
	want := [][]byte{[]byte(`{"a":1}`), []byte("x"), payload(300, 2), []byte(`[{}]`)}
	text := append(bytes.Join(want, []byte{'\n'}), '\n')
	for i := range len(text) + 1 {
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

func longLine(t *testing.T, tr *Transport) {
	for _, max := range []int{10, block, 3 * block} {
		server, client := raw(t, tr, &transport.Options{MaxFrame: max})
		whole := append(payload(max, 1), '\n')
		wait := send(t, client, whole, payload(max, 1), []byte("\r\n"), payload(max+2, 2))
		expect(t, server, payload(max, 1), payload(max, 1))
		expectFrameError(t, server, max)
		wait()

		server, client = raw(t, tr, &transport.Options{MaxFrame: max})
		wait = send(t, client, payload(max+1, 1), []byte("\n"))
		expectFrameError(t, server, max)
		wait()
	}
}

func answerLines(t *testing.T, tr *Transport) {
	server, client := raw(t, tr, nil)
	send(t, client, []byte(`{"type":"request"}`+"\n"))()
	expect(t, server, []byte(`{"type":"request"}`))
	long := strings.Repeat(`{"a":`+"\n1}\r\n", 40_000)
	wait := alongside(t, func() {
		write(t, server, run([]byte(`{}`), []byte("{\n\"a\": [1,\r\n2]}"), []byte(long), nil, []byte(`[]`)))
	})
	r := bufio.NewReader(client)
	within(t, func() {
		for _, w := range []string{`{}`, `{ "a": [1,  2]}`, strings.NewReplacer("\n", " ", "\r", " ").Replace(long), ``, `[]`} {
			if got, err := r.ReadString('\n'); got != w+"\n" || err != nil {
				t.Errorf("got line %s, %v, want %s", short([]byte(got)), err, short([]byte(w)))
			}
		}
	})
	wait()
}

func blankLines(t *testing.T, tr *Transport) {
	server, client := raw(t, tr, nil)
	send(t, client, []byte("\r\n\n \t\n{\"a\":1}\r\n\n\n\r\n{\"b\":2}\n\n\n"))()
	expect(t, server, []byte(`{"a":1}`), []byte(`{"b":2}`))
	if server.Buffered() {
		t.Error("blank lines are Buffered")
	}
	send(t, client, []byte("\n"), []byte("last\n"))()
	expect(t, server, []byte("last"))
}

func shortLine(t *testing.T, tr *Transport) {
	for _, line := range []string{"{}\n", "[]\n", "{}\r\n", "\n{}\n"} {
		server, client := raw(t, tr, nil)
		send(t, client, []byte(line))()
		expect(t, server, []byte(strings.TrimSpace(line)))
		write(t, server, run([]byte("{}")))
		got := make([]byte, 3)
		within(t, func() { io.ReadFull(client, got) })
		if string(got) != "{}\n" {
			t.Errorf("%q was answered by %q", line, got)
		}
	}
	server, client := raw(t, tr, nil)
	send(t, client, []byte("1\n"))()
	client.CloseWrite()
	expect(t, server, []byte("1"))
	expectIs(t, server, io.EOF)
}

func lastLine(t *testing.T, tr *Transport) {
	long := payload(2*block+100, 1)
	for _, end := range []string{"", "\r", "\n\n", "\n \n", "\n  "} {
		server, client := raw(t, tr, nil)
		wait := send(t, client, []byte("first\n"), long, []byte("\n{}"+end))
		waitEnd := alongside(t, func() { wait(); client.CloseWrite() })
		expect(t, server, []byte("first"), long, []byte("{}"))
		for range 2 {
			expectIs(t, server, io.EOF)
		}
		waitEnd()
	}
}

func longLines(t *testing.T, tr *Transport) {
	server, client := raw(t, tr, nil)
	send(t, client, []byte("first\n"))()
	expect(t, server, []byte("first"))
	for _, n := range []int{1, 2, 5} {
		for d := -3; d <= 3; d++ {
			a, b := payload(n*block+d, 1), payload(n*block-d, 2)
			wait := send(t, client, a, []byte("\n"), b, []byte("\r\n"), []byte("x\n"))
			expect(t, server, a, b, []byte("x"))
			wait()
		}
	}
}

func dialLines(t *testing.T, tr *Transport) {
	server, client := pair(t, tr, &transport.Options{Framing: transport.FramingLine})
	want := [][]byte{[]byte("{}"), payload(100_000, 1), []byte("[]")}
	wait := alongside(t, func() { write(t, client, run(want...)) })
	expect(t, server, want...)
	wait()
	wait = alongside(t, func() { write(t, server, run(want...)) })
	expect(t, client, want...)
	wait()
}
