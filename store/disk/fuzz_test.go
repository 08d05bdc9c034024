package disk

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
)

func timeOf(ms int64) time.Time { return time.UnixMilli(ms) }

// FuzzScan has the scanner read anything, with whole records in it and such
// as were changed. It finds all that are whole, nothing that was not written,
// and reads the same from a file as from memory.
func FuzzScan(f *testing.F) {
	seed := salt(42).seed()
	f.Add([]byte("ekR1"), uint16(3), uint16(100), byte(1))
	f.Add(appendRecord(nil, &store.Record{Seq: 2, Name: "x", Data: []byte("{}")}, nil, 1, 0, seed), uint16(50), uint16(0), byte(0))
	f.Add(bytes.Repeat([]byte("ekR1\x01\x00\x00\x00"), 40), uint16(7), uint16(60), byte(255))
	f.Fuzz(func(t *testing.T, junk []byte, size, at uint16, change byte) {
		var b []byte
		var ends []int
		written := map[string]bool{}
		for seq := uint64(1); seq <= 5; seq++ {
			from := len(b)
			r := store.Record{Seq: seq, ID: "id", Name: "name", Data: append(junk, make([]byte, size%2000)...)}
			b = appendRecord(b, &r, nil, 7, 0, seed)
			ends = append(ends, len(b))
			written[string(b[from:])] = true
			if seq == 3 {
				b = append(b, junk...)
				b = append(b, make([]byte, padded(len(b))-len(b))...)
			}
		}
		spoiled := int(at) % len(b)
		b[spoiled] ^= change
		found := map[uint64]bool{}
		s := scanBytes(b, 0, seed, 0, math.MaxUint64)
		other := scanFile(bytesFile{bytes.NewReader(b)}, 0, int64(len(b)), seed, 0, math.MaxUint64)
		for s.next() {
			if !other.next() || other.at != s.at || other.rec.seq != s.rec.seq {
				t.Fatalf("record %d in memory at %d, in a file %d at %d", s.rec.seq, s.at, other.rec.seq, other.at)
			}
			whole := b[s.at : s.at+int64(s.rec.size)]
			// The padding is nobody's.
			if !written[string(whole)] && spoiled < int(s.at)+s.rec.size-recordAlign {
				t.Fatalf("%q was not written", whole)
			}
			found[s.rec.seq] = true
		}
		if other.next() {
			t.Fatal("more in the file")
		}
		from := 0
		for i, end := range ends {
			if (spoiled < from || spoiled >= end || change == 0) && !found[uint64(i+1)] {
				t.Fatalf("record %d is not found", i+1)
			}
			from = end
		}
	})
}

type bytesFile struct{ *bytes.Reader }

func (bytesFile) WriteAt([]byte, int64) (int, error) { return 0, nil }
func (bytesFile) Close() error                       { return nil }
func (bytesFile) truncate(int64) error               { return nil }
func (bytesFile) sync() error                        { return nil }
func (f bytesFile) size() (int64, error)             { return f.Size(), nil }
