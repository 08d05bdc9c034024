package disk

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"sync"
	"time"
)

// mark is the high-water mark: the number that the next record will get, and
// the first that no limit has removed, in a small file of its own. It is
// written before anybody learns that a record is kept, and says after a crash
// what should be there. Two places are written in turns, so that one is whole
// whatever happens:
//
//	 0  magic, "ekkomrk1"
//	 8  generation
//	16  first
//	24  next
//	32  checksum of what is before it, CRC-32C
//
// The kernel has it at once, the medium within a second: after a power cut it
// may lag behind the records, which are on the medium by themselves.
type mark struct {
	fs   fileSystem
	path string

	syncing sync.Mutex // held by who forces it to the medium; taken before mu

	mu          sync.Mutex // guards all that follows
	file        file
	gen         uint64
	first, next uint64
	dirty       bool // the medium does not have it
	timer       chore
}

const (
	markMagic  = "ekkomrk1"
	markSize   = 36
	markStride = 512 // a sector: no write is torn within
	markDelay  = time.Second
)

// marked is what was read of the file.
type marked struct {
	first, next uint64
	gen         uint64
	sound       bool // the newest is there beyond doubt
}

func readMark(fsys fileSystem, path string) (marked, error) {
	b, err := readAll(fsys, path, 2*markStride)
	switch {
	case notThere(err):
		return marked{}, nil
	case err != nil: // it may be readable later, and without it numbers would begin anew
		return marked{}, err
	case len(b) < markStride+markSize:
		b = append(b, make([]byte, 2*markStride-len(b))...)
	}
	one, two := parseMark(b), parseMark(b[markStride:])
	if one.gen < two.gen {
		one, two = two, one
	}
	// Both are whole always, so one that is not may have been the newer.
	one.sound = two.gen > 0
	return one, nil
}

func parseMark(b []byte) marked {
	le := binary.LittleEndian
	if string(b[:8]) != markMagic || le.Uint32(b[32:]) != crc32.Checksum(b[:32], castagnoli) {
		return marked{}
	}
	return marked{gen: le.Uint64(b[8:]), first: le.Uint64(b[16:]), next: le.Uint64(b[24:])}
}

func appendMark(dst []byte, m marked) []byte {
	le := binary.LittleEndian
	at := len(dst)
	dst = append(dst, markMagic...)
	dst = le.AppendUint64(dst, m.gen)
	dst = le.AppendUint64(dst, m.first)
	dst = le.AppendUint64(dst, m.next)
	return le.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

// begin makes the file anew, after one of that generation.
func (m *mark) begin(first, next, gen uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.first, m.next, m.gen = first, next, gen
	return m.renewLocked()
}

// renewLocked puts a new file in place of one that failed, or of none.
func (m *mark) renewLocked() error {
	if m.file != nil {
		m.file.Close()
		m.file = nil
	}
	// Both places are written, so that a file with one is known as damaged.
	m.gen += 2
	b := make([]byte, 2*markStride)
	for gen := m.gen - 1; gen <= m.gen; gen++ {
		copy(b[gen%2*markStride:], appendMark(nil, marked{first: m.first, next: m.next, gen: gen}))
	}
	if err := replace(m.fs, m.path, b); err != nil {
		return err
	}
	f, err := m.fs.open(m.path, os.O_RDWR)
	if err != nil {
		return err
	}
	m.file, m.dirty = f, false
	return nil
}

// set says that the log is at first and next now. When it returns nil, that
// survives the end of the process.
func (m *mark) set(first, next uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file != nil && m.first == first && m.next == next {
		return nil
	}
	m.first, m.next = first, next
	if m.file == nil {
		return m.renewLocked()
	}
	m.gen++
	var few [markSize]byte
	b := appendMark(few[:0], marked{first: first, next: next, gen: m.gen})
	if _, err := m.file.WriteAt(b, int64(m.gen%2*markStride)); err != nil {
		return m.renewLocked()
	}
	m.dirty = true
	m.timer.after(markDelay, m.syncLater)
	return nil
}

// sync makes certain that the medium has it. Who calls set meanwhile does not
// wait for the medium.
func (m *mark) sync() error {
	m.syncing.Lock()
	defer m.syncing.Unlock()
	m.mu.Lock()
	f, dirty := m.file, m.dirty
	m.dirty = false
	m.mu.Unlock()
	if f != nil && (!dirty || f.sync() == nil) {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file != nil && m.file != f {
		return nil // there is a new one meanwhile, which is on the medium
	}
	return m.renewLocked() // what a failed sync leaves behind cannot be known
}

func (m *mark) syncLater() {
	if m.sync() != nil {
		m.timer.after(markDelay, m.syncLater)
	}
}

func (m *mark) close() error {
	m.timer.end()
	err := m.sync()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file != nil {
		err = errors.Join(err, m.file.Close())
		m.file = nil
	}
	return err
}
