package disk

import (
	"encoding/binary"
	"hash/crc32"
	"path/filepath"
	"sort"
)

// A segment is a file of records, which begins with
//
//	 0  magic, "ekkoseg1"
//	 8  salt of the log
//	16  number of the first record
//	24  zeros
//	60  checksum of what is before it, CRC-32C
//
// The salt stands in the state file as well, so that none of these headers is
// needed to read what follows it.
const (
	segmentHeader = 64
	segmentMagic  = "ekkoseg1"

	// blockSize is from how many bytes on records get a new entry in the
	// index: what is read and checked to find one record.
	blockSize = 16 << 10
)

func appendSegmentHeader(dst []byte, s salt, first uint64) []byte {
	at := len(dst)
	dst = append(dst, segmentMagic...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s))
	dst = binary.LittleEndian.AppendUint64(dst, first)
	dst = append(dst, make([]byte, 60-24)...)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

// parseSegmentHeader returns the salt.
func parseSegmentHeader(b []byte) (salt, bool) {
	if len(b) < segmentHeader || string(b[:8]) != segmentMagic ||
		binary.LittleEndian.Uint32(b[60:]) != crc32.Checksum(b[:60], castagnoli) {
		return 0, false
	}
	return salt(binary.LittleEndian.Uint64(b[8:])), true
}

// segment is what is known of a file. Guarded by Log.mu, but what only the
// worker uses.
type segment struct {
	path   string
	first  uint64 // the number that its name says
	next   uint64 // all numbers are below that
	end    int64  // of the last record
	blocks []block

	count, bytes         int64 // of records that can be read
	headCount, headBytes int64 // of those at its beginning that are removed
	maxTime              int64
	newestID             int64 // when the last record with an ID was kept

	file file // nil: not open
	refs int  // who reads it now

	// The worker's own, while records are added.
	zeroed int64 // up to where the file is there already, in zeros
}

// block is a few records that follow one another.
type block struct {
	off     int64
	first   uint64 // number of the first record
	maxTime int64
	count   uint32
	bytes   uint32
}

// add notes a record that is in the file.
func (s *segment) add(seq uint64, time int64, size int, at int64) {
	if n := len(s.blocks); n == 0 || at-s.blocks[n-1].off >= blockSize {
		s.blocks = append(s.blocks, block{off: at, first: seq, maxTime: time})
	}
	b := &s.blocks[len(s.blocks)-1]
	b.maxTime = max(b.maxTime, time)
	b.count++
	b.bytes += uint32(size)
	if s.count == 0 {
		s.maxTime = time
	}
	s.maxTime = max(s.maxTime, time)
	s.count++
	s.bytes += int64(size)
	s.next = seq + 1
	s.end = at + int64(size)
}

// blockOf returns the index of the block in which that number would be.
func (s *segment) blockOf(seq uint64) int {
	return max(0, sort.Search(len(s.blocks), func(i int) bool { return s.blocks[i].first > seq })-1)
}

// blocksEnd returns where block i ends, and below which number.
func (s *segment) blockEnd(i int) (off int64, next uint64) {
	if i+1 < len(s.blocks) {
		return s.blocks[i+1].off, s.blocks[i+1].first
	}
	return s.end, s.next
}

// live is what is not removed.
func (s *segment) live() (count, bytes int64) {
	return max(0, s.count-s.headCount), max(0, s.bytes-s.headBytes)
}

func (s *segment) name() string { return filepath.Base(s.path) }
