package disk

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// sim is a file system in memory that knows what is on the medium and what is
// not there yet. Its power can be cut, and any operation can fail.
type sim struct {
	mu    sync.Mutex
	names map[string]*simFile // by path
	// What has happened to names, in order, since a directory was
	// synchronized: as a journal has it, a power cut undoes the last of them.
	pending []func(names map[string]*simFile)
	durable map[string]*simFile
	locked  map[string]bool
	rand    *rand.Rand

	space int64 // for all files together; 0: enough
	ops   int
	// before is asked before each operation that can fail.
	before func(n int, op, path string) error
}

// simFile is a file. Guarded by sim.mu.
type simFile struct {
	data    []byte
	durable []byte
	pending []simWrite
}

// simWrite is a write, or with no data a truncation.
type simWrite struct {
	off  int64
	data []byte
}

func newSim(seed uint64) *sim {
	return &sim{
		names: map[string]*simFile{}, durable: map[string]*simFile{}, locked: map[string]bool{},
		rand: rand.New(rand.NewPCG(seed, 1)),
	}
}

func (s *sim) askLocked(op, path string) error {
	s.ops++
	if s.before == nil {
		return nil
	}
	if err := s.before(s.ops, op, path); err != nil {
		return pathError(op, path, err)
	}
	return nil
}

func (s *sim) renameLocked(f func(names map[string]*simFile)) {
	f(s.names)
	s.pending = append(s.pending, f)
}

func (s *sim) open(path string, flag int) (file, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.askLocked("open", path); err != nil {
		return nil, err
	}
	f, found := s.names[path]
	switch {
	case found && flag&os.O_EXCL != 0:
		return nil, pathError("open", path, syscall.EEXIST)
	case !found && flag&os.O_CREATE == 0:
		return nil, pathError("open", path, syscall.ENOENT)
	case !found:
		f = &simFile{}
		s.renameLocked(func(names map[string]*simFile) { names[path] = f })
	}
	if flag&os.O_TRUNC != 0 {
		f.do(simWrite{})
	}
	return &simHandle{s, f, path}, nil
}

func (s *sim) list(dir string) (names []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for path := range s.names {
		if filepath.Dir(path) == dir {
			names = append(names, filepath.Base(path))
		}
	}
	slices.Sort(names)
	return names, s.askLocked("list", dir)
}

func (s *sim) rename(from, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.askLocked("rename", to)
	if err == nil {
		s.renameLocked(func(names map[string]*simFile) {
			names[to] = names[from]
			delete(names, from)
		})
	}
	return err
}

func (s *sim) remove(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.askLocked("remove", path)
	if err == nil {
		s.renameLocked(func(names map[string]*simFile) { delete(names, path) })
	}
	return err
}

func (s *sim) syncDir(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.askLocked("syncDir", dir)
	if err == nil {
		for _, f := range s.pending {
			f(s.durable)
		}
		s.pending = nil
	}
	return err
}

func (s *sim) place(string, bool) error { return nil }

func (s *sim) lock(path string) (io.Closer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked[path] {
		return nil, &heldError{path: path}
	}
	s.locked[path] = true
	return simLock{s, path}, nil
}

type simLock struct {
	s    *sim
	path string
}

func (l simLock) Close() error {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	delete(l.s.locked, l.path)
	return nil
}

// killed is what is there after the process was killed.
func (s *sim) killed() *sim {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.killedLocked()
}

func (s *sim) killedLocked() *sim {
	out := newSim(s.rand.Uint64())
	for path, f := range s.names {
		c := &simFile{data: bytes.Clone(f.data), durable: bytes.Clone(f.data)}
		out.names[path], out.durable[path] = c, c
	}
	return out
}

// cutLocked is what is there after the power was cut: of the last changes of
// names and of what was written without being synchronized, anything.
func (s *sim) cutLocked() *sim {
	out := newSim(s.rand.Uint64())
	names := map[string]*simFile{}
	for path, f := range s.durable {
		names[path] = f
	}
	for _, f := range s.pending[:s.rand.IntN(len(s.pending)+1)] {
		f(names)
	}
	for path, f := range names {
		b := bytes.Clone(f.durable)
		for _, w := range f.pending {
			b = w.some(b, s.rand)
		}
		c := &simFile{data: b, durable: bytes.Clone(b)}
		out.names[path], out.durable[path] = c, c
	}
	return out
}

// some applies a random part of a write.
func (w simWrite) some(b []byte, r *rand.Rand) []byte {
	switch r.IntN(3) {
	case 0:
		return b
	case 1:
		return w.apply(b)
	}
	if w.data == nil {
		return b
	}
	for off := 0; off < len(w.data); {
		n := min(len(w.data)-off, 512-int(w.off+int64(off))%512)
		if r.IntN(2) == 0 {
			b = simWrite{w.off + int64(off), w.data[off : off+n]}.apply(b)
		}
		off += n
	}
	return b
}

func (w simWrite) apply(b []byte) []byte {
	if w.data == nil {
		if int(w.off) <= len(b) {
			return b[:w.off]
		}
		return append(b, make([]byte, int(w.off)-len(b))...)
	}
	if end := int(w.off) + len(w.data); end > len(b) {
		b = append(b, make([]byte, end-len(b))...)
	}
	copy(b[w.off:], w.data)
	return b
}

func (f *simFile) do(w simWrite) {
	f.data = w.apply(f.data)
	f.pending = append(f.pending, w)
}

type simHandle struct {
	s    *sim
	f    *simFile
	path string
}

func (h *simHandle) ReadAt(p []byte, off int64) (int, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if err := h.s.askLocked("read", h.path); err != nil {
		return 0, err
	}
	if off > int64(len(h.f.data)) {
		return 0, io.EOF
	}
	n := copy(p, h.f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (h *simHandle) WriteAt(p []byte, off int64) (int, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if err := h.s.askLocked("write", h.path); err != nil {
		n := h.s.rand.IntN(len(p) + 1) // it may have come that far
		h.f.do(simWrite{off, bytes.Clone(p[:n])})
		return n, err
	}
	n := len(p)
	if grow := off + int64(n) - int64(len(h.f.data)); h.s.space > 0 && grow > 0 {
		n = max(0, n-int(max(0, h.s.usedLocked()+grow-h.s.space)))
	}
	h.f.do(simWrite{off, append([]byte{}, p[:n]...)})
	if n < len(p) {
		return n, pathError("write", h.path, syscall.ENOSPC)
	}
	return n, nil
}

func (s *sim) usedLocked() (n int64) {
	for _, f := range s.names {
		n += int64(len(f.data))
	}
	return n
}

func (h *simHandle) truncate(size int64) error {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	err := h.s.askLocked("truncate", h.path)
	if err == nil {
		h.f.do(simWrite{off: size})
	}
	return err
}

func (h *simHandle) sync() error {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	err := h.s.askLocked("sync", h.path)
	for _, w := range h.f.pending {
		if err == nil {
			h.f.durable = w.apply(h.f.durable)
		} else {
			// What could not be written is forgotten: it is in memory as if
			// it was on the medium, and the next sync has nothing to do.
			h.f.durable = w.some(h.f.durable, h.s.rand)
		}
	}
	h.f.pending = nil
	return err
}

func (h *simHandle) size() (int64, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	return int64(len(h.f.data)), nil
}

func (h *simHandle) Close() error { return nil }
