package disk

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"

	"github.com/ekkojs/ipc/store"
)

// A record is a head and a body, padded to a multiple of 8 bytes:
//
//	 0  magic, "ekR1"
//	 4  version, 1
//	 5  flags
//	 6  length of ID, 1 byte
//	 7  length of name, 1 byte
//	 8  length of group, 2 bytes
//	10  length of dead letter's origin, JSON, 2 bytes
//	12  length of data, 4 bytes
//	16  sequence number
//	24  time of publication, milliseconds
//	32  time at which it was kept, milliseconds
//	40  checksum of the body
//	44  checksum of the head before it
//	48  body: ID, name, group, origin, data
//
// Numbers are little-endian. The checksums are CRC-32C and begin with the
// salt of the log: what a publisher puts into data cannot look like a record
// to who searches for the next one behind damage, because he does not know
// the salt.
const (
	headSize      = 48
	recordMagic   = "ekR1"
	recordVersion = 1
	recordAlign   = 8

	flagBatch = 1 // the first record of what was written and synchronized at once
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// salt makes checksums of one log worthless in another.
type salt uint64

func (s salt) seed() uint32 {
	return crc32.Checksum(binary.LittleEndian.AppendUint64(nil, uint64(s)), castagnoli)
}

// raw is a record as it is stored, with slices of the file.
type raw struct {
	seq        uint64
	time, kept int64
	flags      byte
	size       int // with head and padding
	id, name   []byte
	group      []byte
	dead, data []byte
}

func padded(n int) int { return (n + recordAlign - 1) &^ (recordAlign - 1) }

// encodedSize is what r takes, given the length of the origin.
func encodedSize(r *store.Record, dead int) int {
	return padded(headSize + len(r.ID) + len(r.Name) + len(r.Group) + dead + len(r.Data))
}

// appendRecord appends r, which must be within the bounds of the format.
func appendRecord(dst []byte, r *store.Record, dead []byte, kept int64, flags byte, seed uint32) []byte {
	at := len(dst)
	var head [headSize]byte
	copy(head[:], recordMagic)
	head[4], head[5], head[6], head[7] = recordVersion, flags, byte(len(r.ID)), byte(len(r.Name))
	le := binary.LittleEndian
	le.PutUint16(head[8:], uint16(len(r.Group)))
	le.PutUint16(head[10:], uint16(len(dead)))
	le.PutUint32(head[12:], uint32(len(r.Data)))
	le.PutUint64(head[16:], r.Seq)
	le.PutUint64(head[24:], uint64(r.Time))
	le.PutUint64(head[32:], uint64(kept))
	dst = append(dst, head[:]...)
	dst = append(append(append(dst, r.ID...), r.Name...), r.Group...)
	dst = append(append(dst, dead...), r.Data...)
	h := dst[at:]
	le.PutUint32(h[40:], crc32.Update(seed, castagnoli, h[headSize:]))
	le.PutUint32(h[44:], crc32.Update(seed, castagnoli, h[:44]))
	var zeros [recordAlign]byte
	return append(dst, zeros[:padded(len(h))-len(h)]...)
}

// parseHead reads a head and the sizes of what follows it.
func parseHead(h []byte, seed uint32) (r raw, body int, ok bool) {
	le := binary.LittleEndian
	if string(h[:4]) != recordMagic || h[4] != recordVersion ||
		le.Uint32(h[44:]) != crc32.Update(seed, castagnoli, h[:44]) {
		return raw{}, 0, false
	}
	body = int(h[6]) + int(h[7]) + int(le.Uint16(h[8:])) + int(le.Uint16(h[10:]))
	data := le.Uint32(h[12:])
	if data > MaxRecord {
		return raw{}, 0, false
	}
	body += int(data)
	r = raw{
		seq: le.Uint64(h[16:]), time: int64(le.Uint64(h[24:])), kept: int64(le.Uint64(h[32:])),
		flags: h[5], size: padded(headSize + body),
	}
	return r, body, r.seq > 0
}

// parseBody checks and takes apart what follows the head h.
func (r *raw) parseBody(h, body []byte, seed uint32) bool {
	le := binary.LittleEndian
	if le.Uint32(h[40:]) != crc32.Update(seed, castagnoli, body) {
		return false
	}
	take := func(n int) []byte {
		part := body[:n:n]
		body = body[n:]
		return part
	}
	r.id, r.name = take(int(h[6])), take(int(h[7]))
	r.group, r.dead = take(int(le.Uint16(h[8:]))), take(int(le.Uint16(h[10:])))
	r.data = body
	return true
}

// record copies r. The names of a log are few: last is the record before,
// whose strings are used again.
func (r *raw) record(last *store.Record) store.Record {
	out := store.Record{Seq: r.seq, Time: r.time, ID: string(r.id)}
	out.Name = again(last.Name, r.name)
	out.Group = again(last.Group, r.group)
	if len(r.data) > 0 {
		out.Data = append(make([]byte, 0, len(r.data)), r.data...)
	}
	if len(r.dead) > 0 {
		out.Dead = new(store.Dead)
		json.Unmarshal(r.dead, out.Dead) // it is what Marshal made
	}
	return out
}

func again(last string, b []byte) string {
	if last == string(b) {
		return last
	}
	return string(b)
}
