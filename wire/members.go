package wire

import (
	"bytes"
	"hash/maphash"
	"math"
)

// A container is an object or an array that is open.
type container struct {
	base uint32 // where the names of the object begin in members.spans, or isArray
	seen uint64 // a bit for each name of the object, by its hint
}

const isArray = math.MaxUint32

// A span is where a member name stands: in the text being read or, when the
// bit inKept is set in both its ends, in members.kept.
type span struct{ start, end uint32 }

const inKept = 1 << 31

// Up to this many names an object's names are compared one by one; that is
// quicker than hashing and needs no memory.
const fewNames = 16

// members knows the names of all objects that are open, so that none comes
// twice in one object. Names compare as what they stand for, not as written.
//
// The names of an object lie together in spans, those of an inner object
// above those of the outer one. An object of more than fewNames names has all
// of them in table too: one open-addressing table for all objects, seeded
// anew whenever it is empty, so that nobody can prepare names that collide. Names
// leave the table in the reverse order of their coming, which is why clearing
// a slot is all it takes.
type members struct {
	spans []span
	kept  []byte // names that were written with escapes, without them

	table []uint32 // index into spans plus one, or 0
	used  int      // slots of table that are taken
	seed  maphash.Seed
}

// reset makes m ready for another text. It reports false when m has grown so
// large that it had better be left to the garbage collector.
func (m *members) reset() bool {
	if m.used > 0 { // a text that broke off
		clear(m.table)
		m.used = 0
	}
	m.spans, m.kept = m.spans[:0], m.kept[:0]
	const most = 16 << 10
	return cap(m.spans) <= most && cap(m.kept) <= most && len(m.table) <= most
}

// keep returns a span for a name written with escapes.
func (m *members) keep(raw []byte) span {
	start := len(m.kept)
	m.kept = unescape(m.kept, raw)
	return span{uint32(start) | inKept, uint32(len(m.kept)) | inKept}
}

func (m *members) text(buf []byte, sp span) []byte {
	if sp.start&inKept != 0 {
		return m.kept[sp.start&^inKept : sp.end&^inKept]
	}
	return buf[sp.start:sp.end]
}

// hint returns one of 64 bits for a name, the same for equal names.
func hint(name []byte) uint64 {
	if len(name) == 0 {
		return 1
	}
	return 1 << ((len(name) + 7*int(name[0]) + 31*int(name[len(name)-1])) & 63)
}

// add adds a name to the innermost object, the last of open. It reports false
// when the object has that name already.
func (m *members) add(buf []byte, open []container, sp span) bool {
	object := &open[len(open)-1]
	own := m.spans[object.base:]
	m.spans = append(m.spans, sp)
	if len(own) >= fewNames {
		if len(own) == fewNames {
			for k := range own {
				m.insert(buf, open, object.base+uint32(k))
			}
		}
		return m.insert(buf, open, object.base+uint32(len(own)))
	}
	name := m.text(buf, sp)
	if bit := hint(name); object.seen&bit == 0 {
		object.seen |= bit
		return true
	}
	for _, o := range own {
		if o.end-o.start == sp.end-sp.start && bytes.Equal(m.text(buf, o), name) {
			return false
		}
	}
	return true
}

// leave forgets the names of the innermost object.
func (m *members) leave(buf []byte, base uint32) {
	if len(m.spans)-int(base) > fewNames {
		for k := uint32(len(m.spans)); k > base; k-- {
			slot := m.slot(buf, base, k-1)
			for m.table[slot] != k {
				slot = (slot + 1) & (len(m.table) - 1)
			}
			m.table[slot] = 0
			m.used--
		}
	}
	m.spans = m.spans[:base]
}

// insert puts the name with index k, of the innermost object, into the table.
// It reports false when the object has that name there already.
func (m *members) insert(buf []byte, open []container, k uint32) bool {
	if m.used == 0 {
		m.seed = maphash.MakeSeed()
	}
	if 2*(m.used+1) > len(m.table) {
		m.grow(buf, open, k)
	}
	return m.place(buf, open[len(open)-1].base, k)
}

func (m *members) place(buf []byte, base, k uint32) bool {
	sp := m.spans[k]
	name := m.text(buf, sp)
	slot := m.slot(buf, base, k)
	for m.table[slot] != 0 {
		// Names below base are those of outer objects.
		if at := m.table[slot] - 1; at >= base {
			o := m.spans[at]
			if o.end-o.start == sp.end-sp.start && bytes.Equal(m.text(buf, o), name) {
				return false
			}
		}
		slot = (slot + 1) & (len(m.table) - 1)
	}
	m.table[slot] = k + 1
	m.used++
	return true
}

// slot returns where the search for a name begins. The object takes part, so
// that objects nested in each other with the same names do not pile up.
func (m *members) slot(buf []byte, base, k uint32) int {
	h := maphash.Bytes(m.seed, m.text(buf, m.spans[k])) ^ uint64(base)*0x9e3779b97f4a7c15
	return int((h ^ h>>32) & uint64(len(m.table)-1))
}

// grow makes the table anew, at least twice as large, with the names that
// were in it: those of the large objects, and the innermost one's up to k.
func (m *members) grow(buf []byte, open []container, k uint32) {
	m.table = make([]uint32, max(128, 4*len(m.table)))
	m.used = 0
	for depth, object := range open {
		if object.base == isArray {
			continue
		}
		end := k
		for _, inner := range open[depth+1:] {
			if inner.base != isArray {
				end = inner.base
				break
			}
		}
		if end-object.base > fewNames || depth == len(open)-1 {
			for at := object.base; at < end; at++ {
				m.place(buf, object.base, at)
			}
		}
	}
}
