package transport

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// script is a stream that yields given pieces.
type script struct{ pieces [][]byte }

func (s *script) read(r *reader) error {
	if len(s.pieces) == 0 {
		return io.EOF
	}
	r.idle()
	n := copy(r.room(), s.pieces[0])
	r.received(n)
	if s.pieces[0] = s.pieces[0][n:]; len(s.pieces[0]) == 0 {
		s.pieces = s.pieces[1:]
	}
	return nil
}

func (s *script) readUntil(time.Time)           {}
func (s *script) tryWrite([]byte) (int, error)  { return 0, nil }
func (s *script) write([]byte, *patience) error { return nil }
func (s *script) close() error                  { return nil }

// all reads everything there is, and checks Buffered on the way.
func all(t *testing.T, f Framing, limit int, pieces ...[]byte) (frames [][]byte, end error) {
	t.Helper()
	c := newFramed(&script{slices.Clone(pieces)}, Peer{}, &Options{MaxFrame: limit}, f)
	for {
		ready := c.Buffered()
		left := len(c.stream.(*script).pieces)
		frame, err := c.ReadFrame()
		if waited := left != len(c.stream.(*script).pieces); ready && waited {
			t.Error("Buffered, but ReadFrame waited")
		}
		if err != nil {
			return frames, err
		}
		frames = append(frames, bytes.Clone(frame))
	}
}

// FuzzSplit: however a stream is cut into pieces, the frames are the same.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00{}\x00\x00\x00\x00"), uint64(5), uint8(0))
	f.Add([]byte("{\"a\":1}\r\n\n[]\n{}"), uint64(9), uint8(1))
	f.Add([]byte("\n\n{}\n"), uint64(1), uint8(2))
	f.Add([]byte("000"), uint64(7), uint8(1)) // a last line one too long
	f.Add([]byte("\xff\xff\xff\xff"), uint64(3), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, cuts uint64, limit uint8) {
		if bytes.HasPrefix(data, []byte("{}\n\x00")) || bytes.HasPrefix(data, []byte("[]\n\x00")) {
			return // the one case in which three bytes decide, see detect
		}
		var pieces [][]byte
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 1+int(cuts%7))
			cuts = cuts>>3 | cuts<<61
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		for _, framing := range []Framing{FramingAuto, FramingLength, FramingLine} {
			max := 1 + int(limit)
			want, wantEnd := all(t, framing, max, data)
			got, gotEnd := all(t, framing, max, pieces...)
			if len(got) != len(want) || !sameEnd(gotEnd, wantEnd) {
				t.Fatalf("in pieces: %q, %v, whole: %q, %v", got, gotEnd, want, wantEnd)
			}
			for i := range want {
				if !bytes.Equal(got[i], want[i]) {
					t.Errorf("frame %d: in pieces %q, whole %q", i, got[i], want[i])
				}
				if len(want[i]) > max {
					t.Errorf("frame %d has %d bytes, over the limit of %d", i, len(want[i]), max)
				}
			}
		}
	})
}

// sameEnd: a line that is too long has been seen to different lengths.
func sameEnd(a, b error) bool {
	var fa, fb *FrameError
	if errors.As(a, &fa) && errors.As(b, &fb) {
		return fa.Limit == fb.Limit
	}
	return a == b
}

// FuzzLines: what is written as lines is read as the same frames, but for
// newlines and blanks.
func FuzzLines(f *testing.F) {
	f.Add([]byte("{}"), []byte("[1,\n2]"))
	f.Add([]byte(""), []byte("\r\n"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var run []byte
		var want [][]byte
		for _, p := range [][]byte{a, b} {
			run = append(run, byte(len(p)), byte(len(p)>>8), byte(len(p)>>16), 0)
			run = append(run, p...)
			line := bytes.ReplaceAll(bytes.ReplaceAll(p, []byte("\n"), []byte(" ")), []byte("\r"), []byte(" "))
			if !blank(line) {
				want = append(want, line)
			}
		}
		lines, n := appendLines(nil, run, len(run)+2)
		if n != len(run) {
			t.Fatalf("took %d of %d bytes", n, len(run))
		}
		got, end := all(t, FramingLine, 1<<20, lines)
		if end != io.EOF || len(got) != len(want) {
			t.Fatalf("got %q, %v, want %q", got, end, want)
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Errorf("got %q, want %q", got[i], want[i])
			}
		}
	})
}

// TestDetachKeepsWhatWasReceivedBehindALine: after a long line little is
// received at first, but what has been received is more than that by then.
func TestDetachKeepsWhatWasReceivedBehindALine(t *testing.T) {
	r := &reader{limit: 1 << 20, framing: FramingLine}
	feed := func(text string) {
		for len(text) > 0 {
			n := copy(r.room(), text)
			r.received(n)
			text = text[n:]
		}
	}
	line := func(want string) {
		t.Helper()
		if got, err := r.take(); err != nil || string(got) != want {
			t.Fatalf("got %d bytes, %.20q, %v; want %d, %.20q", len(got), got, err, len(want), want)
		}
	}
	long := strings.Repeat("x", 100<<10)
	for text := long + "\n"; ; {
		n := copy(r.room(), text)
		r.received(n)
		if text = text[n:]; text == "" {
			break
		}
		if frame, err := r.take(); frame != nil || err != nil {
			t.Fatal(frame, err)
		}
	}
	line(long)
	lines := []string{strings.Repeat("a", 100), strings.Repeat("b", 6000), strings.Repeat("c", 6000)}
	feed(strings.Join(lines, "\n") + "\n")
	for _, want := range lines {
		line(want)
		r.detach()
	}
}
