package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// cursors is the journal of the places of readers. Each change is appended;
// what a crash leaves of the last one is not whole and does not count. When
// most of the file is old it is written anew:
//
//	 0  magic, "ekC1"
//	 4  length of name, 2 bytes
//	 6  1: the cursor is removed
//	 8  length of state, 4 bytes
//	12  checksum of all but this and the magic, CRC-32C with the log's salt
//	16  name, state
//
// Their names stand besides in a roster of its own, so that one is missed of
// which the journal has lost all.
type cursors struct {
	fs     fileSystem
	path   string
	roster string // path of that
	seed   uint32

	syncing sync.Mutex // held by who forces it to the medium; taken before mu

	mu     sync.Mutex // guards all that follows
	states map[string][]byte
	listed []string // the names that the roster has, sorted
	live   int64    // bytes of the journal that count
	file   file     // nil: to be written anew
	end    int64
	dirty  bool
	closed bool
	buf    []byte
	timer  chore
}

const (
	cursorMagic   = "ekC1"
	cursorHead    = 16
	cursorDelay   = 50 * time.Millisecond
	maxCursorName = 1 << 10
	cursorSlack   = 1 << 20 // old bytes that are no matter
	maxJournal    = 64 << 20
)

func (c *cursors) appendEntry(dst []byte, name string, state []byte) []byte {
	at := len(dst)
	var head [cursorHead]byte
	copy(head[:], cursorMagic)
	binary.LittleEndian.PutUint16(head[4:], uint16(len(name)))
	if state == nil {
		head[6] = 1
	}
	binary.LittleEndian.PutUint32(head[8:], uint32(len(state)))
	dst = append(append(append(dst, head[:]...), name...), state...)
	binary.LittleEndian.PutUint32(dst[at+12:], c.sum(dst[at:]))
	return dst
}

func (c *cursors) sum(entry []byte) uint32 {
	return crc32.Update(crc32.Update(c.seed, castagnoli, entry[4:12]), castagnoli, entry[cursorHead:])
}

// load reads the journal, whatever is damaged in it: a place that is lost is
// that of the time before, or an empty one if there is none.
func (c *cursors) load() error {
	err := c.loadJournal()
	if err != nil {
		return err
	}
	if c.listed, err = readRoster(c.fs, c.roster); err != nil {
		return err
	}
	for _, name := range c.listed {
		if c.states[name] == nil {
			c.putLocked(name, []byte{})
		}
	}
	return nil
}

func (c *cursors) loadJournal() error {
	c.states = map[string][]byte{}
	b, err := readAll(c.fs, c.path, maxJournal)
	if err != nil && !notThere(err) {
		return err
	}
	size := int64(len(b))
	whole := err == nil
	for len(b) > 0 {
		n := c.parse(b)
		if n == 0 {
			// Nothing, or damage, or what a crash has torn: it is written
			// anew, and what follows may still be good.
			whole = false
			i := bytes.Index(b[1:], []byte(cursorMagic))
			if i < 0 {
				break
			}
			n = 1 + i
		}
		b = b[n:]
	}
	if !whole || size >= maxJournal {
		return nil
	}
	if c.file, err = c.fs.open(c.path, os.O_RDWR); err != nil {
		return err
	}
	// Whoever was killed may not have come to synchronize it.
	c.end, c.dirty = size, size > 0
	c.timerLocked()
	return nil
}

// parse applies the first entry of b and returns its length, 0 if there is
// none.
func (c *cursors) parse(b []byte) int {
	if len(b) < cursorHead || string(b[:4]) != cursorMagic {
		return 0
	}
	name := int(binary.LittleEndian.Uint16(b[4:]))
	state := int(binary.LittleEndian.Uint32(b[8:]))
	if state > store.MaxCursorSize || cursorHead+name+state > len(b) {
		return 0
	}
	entry := b[:cursorHead+name+state]
	if binary.LittleEndian.Uint32(b[12:]) != c.sum(entry) {
		return 0
	}
	key := string(entry[cursorHead : cursorHead+name])
	if b[6] == 1 {
		c.putLocked(key, nil)
	} else {
		c.putLocked(key, append([]byte{}, entry[cursorHead+name:]...))
	}
	return len(entry)
}

func (c *cursors) putLocked(name string, state []byte) {
	if old, found := c.states[name]; found {
		c.live -= int64(cursorHead + len(name) + len(old))
		delete(c.states, name)
	}
	if state != nil {
		c.live += int64(cursorHead + len(name) + len(state))
		c.states[name] = state
	}
}

func (c *cursors) get(name string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.states[name])
}

func (c *cursors) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.states))
}

func (c *cursors) set(name string, state []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, found := c.states[name]
	switch {
	case c.closed:
		return closedError()
	case len(state) > store.MaxCursorSize || len(name) > maxCursorName:
		return wire.Errorf(wire.CodeMessageTooLarge, "a cursor of %d bytes, and %d of its name", len(state), len(name))
	case state == nil && !found:
		return nil
	case state != nil && !found && len(c.states) >= store.MaxCursors:
		return wire.Errorf(wire.CodeQuotaExceeded, "there are %d cursors already", store.MaxCursors)
	}
	if state != nil {
		state = append([]byte{}, state...)
	}
	c.putLocked(name, state)
	if err := c.keepLocked(name, state); err != nil {
		c.putLocked(name, old)
		return err
	}
	return nil
}

// keepLocked has the change survive the end of the process. The map has it
// already. A name is on the roster only while a journal that the medium has
// knows it: else it would be missed.
func (c *cursors) keepLocked(name string, state []byte) error {
	_, listed := slices.BinarySearch(c.listed, name)
	switch {
	case state == nil && listed:
		if err := c.enrolLocked(); err != nil {
			return err
		}
	case state != nil && !listed:
		if err := c.renewLocked(); err != nil {
			return fault("writing cursors", err)
		}
		return c.enrolLocked()
	}
	return c.saveLocked(name, state)
}

// enrolLocked writes the roster anew.
func (c *cursors) enrolLocked() error {
	names := slices.Sorted(maps.Keys(c.states))
	if err := writeRoster(c.fs, c.roster, names); err != nil {
		return fault("writing the names of cursors", err)
	}
	c.listed = names
	return nil
}

// saveLocked adds the change to the journal.
func (c *cursors) saveLocked(name string, state []byte) error {
	c.buf = c.appendEntry(c.buf[:0], name, state)
	if c.file == nil || c.end-c.live > max(cursorSlack, 2*c.live) {
		if err := c.renewLocked(); err != nil {
			return fault("writing cursors", err)
		}
		return nil
	}
	if _, err := c.file.WriteAt(c.buf, c.end); err != nil {
		// Part of it may be there. A new file tells the truth, even if there
		// is no space for more than that.
		if c.renewLocked() != nil {
			return fault("writing cursors", err)
		}
		return nil
	}
	c.end += int64(len(c.buf))
	c.dirty = true
	c.timerLocked()
	return nil
}

// renewLocked writes what counts into a new file. If it fails the old one
// stays, and is not added to: what it ends with is not known.
func (c *cursors) renewLocked() error {
	if c.file != nil {
		c.file.Close()
		c.file = nil
	}
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(c.states)) {
		b = c.appendEntry(b, name, c.states[name])
	}
	if err := replace(c.fs, c.path, b); err != nil {
		return err
	}
	f, err := c.fs.open(c.path, os.O_RDWR)
	if err != nil {
		return err
	}
	c.file, c.end, c.dirty = f, int64(len(b)), false
	return nil
}

func (c *cursors) timerLocked() {
	if c.dirty {
		c.timer.after(cursorDelay, c.syncLater)
	}
}

func (c *cursors) syncLater() {
	if c.sync() != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.dirty = true
		c.timerLocked()
	}
}

// sync makes certain that the medium has them. Who calls set meanwhile does
// not wait for the medium.
func (c *cursors) sync() error {
	c.syncing.Lock()
	defer c.syncing.Unlock()
	c.mu.Lock()
	f, dirty := c.file, c.dirty
	c.dirty = false
	c.mu.Unlock()
	if !dirty || f != nil && f.sync() == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file != nil && c.file != f {
		return nil
	}
	if err := c.renewLocked(); err != nil {
		c.dirty = true
		return fault("synchronizing cursors", err)
	}
	return nil
}

func (c *cursors) close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.timer.end()
	err := c.sync()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file != nil {
		err = errors.Join(err, c.file.Close())
		c.file = nil
	}
	return err
}
