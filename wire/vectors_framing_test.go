package wire

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

type framingVector struct {
	Name string `json:"name"`
	vectorInput
	Framing  string   `json:"framing"`
	MaxFrame int      `json:"maxFrame,omitempty"`
	Frames   []string `json:"frames"`
	End      string   `json:"end"`
}

// plainFramer is the framing in its plainest form, fed a piece at a time. It
// is here to hold the vectors to what protocol.md says; the transports have a
// framer that is quick.
type plainFramer struct {
	limit   int
	framing string // "" until known
	rest    []byte
	frames  []string
	end     string // "" while the stream goes on
}

func (f *plainFramer) feed(piece []byte) {
	f.rest = append(f.rest, piece...)
	if f.framing == "" && len(f.rest) >= 4 {
		f.framing = "line"
		if f.rest[3] == 0 {
			f.framing = "length"
		}
	}
	for f.end == "" && f.next() {
	}
}

// next takes one frame off what has come.
func (f *plainFramer) next() bool {
	switch f.framing {
	case "length":
		if len(f.rest) < 4 {
			return false
		}
		size := uint64(binary.LittleEndian.Uint32(f.rest))
		if size > uint64(f.limit) {
			f.end = string(CodeMessageTooLarge)
			return false
		}
		if uint64(len(f.rest)) < 4+size {
			return false
		}
		f.frames = append(f.frames, string(f.rest[4:4+size]))
		f.rest = f.rest[4+size:]
		return true
	case "line":
		line, rest, found := bytes.Cut(f.rest, []byte("\n"))
		if len(bytes.TrimSuffix(line, []byte("\r"))) > f.limit {
			f.end = string(CodeMessageTooLarge)
			return false
		}
		if found {
			f.line(line)
			f.rest = rest
		}
		return found
	}
	return false
}

func (f *plainFramer) line(line []byte) {
	if len(bytes.TrimSpace(line)) > 0 {
		f.frames = append(f.frames, strings.TrimSuffix(string(line), "\r"))
	}
}

func (f *plainFramer) close() {
	switch {
	case f.end != "":
	case f.framing == "line":
		f.line(f.rest)
		f.end = "closed"
	case len(f.rest) > 0:
		f.end = "cut"
	default:
		f.end = "closed"
	}
	if f.framing == "" {
		f.framing = "none"
	}
}

// TestJ06_FramesAtEverySplit holds the framing vectors to the protocol, cut in
// two at every offset and into single bytes.
func TestJ06_FramesAtEverySplit(t *testing.T) {
	for _, c := range readVectors[framingVector](t, "framing").Cases {
		t.Run(c.Name, func(t *testing.T) {
			raw := c.bytes(t)
			check := func(pieces ...[]byte) {
				t.Helper()
				f := plainFramer{limit: c.MaxFrame}
				if f.limit == 0 {
					f.limit = 1 << 20
				}
				for _, piece := range pieces {
					f.feed(piece)
				}
				f.close()
				if f.framing != c.Framing || f.end != c.End || !slices.Equal(f.frames, c.Frames) {
					t.Fatalf("%d pieces: %s framing, frames %q, end %q", len(pieces), f.framing, f.frames, f.end)
				}
			}
			check(raw)
			for cut := range raw {
				check(raw[:cut], raw[cut:])
			}
			check(slices.Collect(slices.Chunk(raw, 1))...)
		})
	}
}
