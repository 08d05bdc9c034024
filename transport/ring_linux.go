package transport

import (
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A ring carries bytes one way between two processes: one writes, one reads.
//
//	        head            tail
//	         ▼               ▼
//	├────────┬───────────────┬──────────────────┤ ◀ window
//	  free     to be read      free
//
// head and tail count all bytes ever read and written, modulo 2³²; a byte lies
// at its number modulo the window. The window is a power of two: narrow at
// first, so that a connection over which little goes touches little memory,
// all of the ring once the writer found it too narrow, and narrow again when it
// has not been needed for long. It changes only while the ring is empty.
//
// Nothing that the peer can write is believed. Either end keeps its own number
// to itself and only shows it; the peer's is read once, must leave between
// nothing and a window to be read, and with that every index is inside. Bytes
// are copied out before anybody looks at them.
const (
	ringSize   = 512 << 10
	ringNarrow = 16 << 10

	// spareMax is after how many short writes to an empty ring it is made
	// narrow again, and the memory given back.
	spareMax = 1024

	// publishMax is how much is written or read before the peer hears of it,
	// so that both ends of a long frame are at work at once.
	publishMax = 64 << 10
)

// ringWords are what the two ends tell each other. Each group has a cache
// line of its own, and the next one, which processors like to fetch with it.
type ringWords struct {
	tail   atomic.Uint32 // by the writer, as are:
	window atomic.Uint32
	ended  atomic.Uint32 // 1: nothing will be written any more
	_      [128 - 3*4]byte

	head atomic.Uint32 // by the reader, as is:
	left atomic.Uint32 // 1: nothing will be read any more
	_    [128 - 2*4]byte

	readerAsleep atomic.Uint32 // 1, by the reader: ring the bell when there is something. 0 by who rings
	_            [128 - 4]byte

	writerAsleep atomic.Uint32 // 1, by the writer: ring when there is enough room
	_            [128 - 4]byte
}

// Where things lie in the memory that is shared.
const (
	wordsSize  = 4 << 10
	sharedSize = wordsSize + 2*ringSize
)

// ringAt is one of the two rings in shared memory.
func ringAt(memory []byte, which int) (*ringWords, []byte) {
	words := (*ringWords)(unsafe.Pointer(&memory[which*int(unsafe.Sizeof(ringWords{}))]))
	begin := wordsSize + which*ringSize
	return words, memory[begin : begin+ringSize : begin+ringSize]
}

// ringWriter is the writing end. It belongs to the goroutine that writes.
type ringWriter struct {
	shared  *ringWords
	bytes   []byte
	tail    uint32
	window  uint32
	cramped bool // the window was too narrow
	spare   int  // how many writes in a row found the ring empty and wanted little
	slept   bool // writerAsleep may be set
}

func newRingWriter(memory []byte, which int) ringWriter {
	w := ringWriter{window: ringNarrow}
	w.shared, w.bytes = ringAt(memory, which)
	w.shared.window.Store(w.window)
	return w
}

// enough is how much may be left to be read when a writer that waits is
// woken: half a window, so that it is not for every byte; nothing, if the
// window is to grow.
func enough(window uint32) uint32 {
	if window < ringSize {
		return 0
	}
	return window / 2
}

// used returns how much is still to be read, or EPROTO if the reader says
// what cannot be.
func (w *ringWriter) used() (uint32, syscall.Errno) {
	used := w.tail - w.shared.head.Load()
	if used > w.window {
		return 0, syscall.EPROTO
	}
	return used, 0
}

// some writes once as much of p as there is room for and is to be published
// at once. It returns EAGAIN if there is none, and EPIPE if nobody reads.
// With wake the reader sleeps and is to be woken.
func (w *ringWriter) some(p []byte) (n int, wake bool, errno syscall.Errno) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer faulted(&errno)
	if w.slept {
		w.slept = false
		w.shared.writerAsleep.Store(0)
	}
	if w.shared.left.Load() != 0 {
		return 0, false, syscall.EPIPE
	}
	used, errno := w.used()
	if errno != 0 {
		return 0, false, errno
	}
	w.fit(used, len(p))
	n = min(len(p), int(w.window-used), publishMax)
	if n == 0 {
		w.cramped = true
		return 0, false, syscall.EAGAIN
	}
	at := w.tail & (w.window - 1)
	copied := copy(w.bytes[at:w.window], p[:n])
	copy(w.bytes, p[copied:n])
	w.tail += uint32(n)
	w.shared.tail.Store(w.tail)
	return n, rouse(&w.shared.readerAsleep), 0
}

// fit makes the window as wide as is wanted, for n bytes. Only while the ring
// is empty does no byte lie where another window would have put it.
func (w *ringWriter) fit(used uint32, n int) {
	switch {
	case used > 0 || n > ringNarrow/2 && w.window == ringSize:
		w.spare = 0
	case w.window < ringSize && (w.cramped || n > int(w.window)):
		w.window, w.spare, w.cramped = ringSize, 0, false
		w.shared.window.Store(w.window)
	case w.window == ringSize:
		if w.spare++; w.spare == spareMax {
			w.window = ringNarrow
			w.shared.window.Store(w.window)
			// Where pages are so large that this is not at the border of
			// two, it fails and the memory is kept.
			unix.Madvise(w.bytes[ringNarrow:], unix.MADV_REMOVE)
		}
	}
}

// hasRoom reports whether a writer that waits need not.
func (w *ringWriter) hasRoom() bool {
	used, errno := w.used()
	return errno != 0 || used <= enough(w.window) || w.shared.left.Load() != 0
}

// roomy is hasRoom for those who only look.
func (w *ringWriter) roomy() bool {
	var errno syscall.Errno
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer faulted(&errno)
	return w.hasRoom()
}

// unread reports whether the reader has left.
func (w *ringWriter) unread() bool {
	var errno syscall.Errno
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer faulted(&errno)
	return w.shared.left.Load() != 0
}

// sleep says that the writer is about to wait, and reports whether it may.
func (w *ringWriter) sleep() (may bool, errno syscall.Errno) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer faulted(&errno)
	w.slept = true
	w.shared.writerAsleep.Store(1)
	return !w.hasRoom(), 0
}

// end says that nothing will be written any more. A reader who cannot be told
// will see the socket end.
func (w *ringWriter) end() {
	var errno syscall.Errno
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer faulted(&errno)
	w.shared.ended.Store(1)
}

// ringReader is the reading end. It belongs to the goroutine that reads.
type ringReader struct {
	shared *ringWords
	bytes  []byte
	head   uint32
	slept  bool // readerAsleep may be set
}

func newRingReader(memory []byte, which int) ringReader {
	var r ringReader
	r.shared, r.bytes = ringAt(memory, which)
	return r
}

// some reads once into p what is there, at most publishMax. It returns EAGAIN
// if there is nothing, and zero bytes at the end. With wake a writer sleeps
// for which there is enough room now.
func (r *ringReader) some(p []byte) (n int, wake bool, errno syscall.Errno) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer faulted(&errno)
	if r.slept {
		r.slept = false
		r.shared.readerAsleep.Store(0)
	}
	ended := r.shared.ended.Load() // before tail: what was written before the end is read
	used := r.shared.tail.Load() - r.head
	if used == 0 {
		if ended != 0 {
			return 0, false, 0
		}
		return 0, false, syscall.EAGAIN
	}
	window := r.shared.window.Load() // after tail: it is that of the bytes before it
	if window&(window-1) != 0 || window < ringNarrow || window > ringSize || used > window {
		return 0, false, syscall.EPROTO
	}
	n = min(int(used), len(p), publishMax)
	at := r.head & (window - 1)
	copied := copy(p[:n], r.bytes[at:window])
	copy(p[copied:n], r.bytes)
	r.head += uint32(n)
	r.shared.head.Store(r.head)
	return n, used-uint32(n) <= enough(window) && rouse(&r.shared.writerAsleep), 0
}

// sleep says that the reader is about to wait, and reports whether it may.
func (r *ringReader) sleep() (may bool, errno syscall.Errno) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer faulted(&errno)
	r.slept = true
	r.shared.readerAsleep.Store(1)
	return r.shared.tail.Load() == r.head && r.shared.ended.Load() == 0, 0
}

// leave says that nothing will be read any more.
func (r *ringReader) leave() {
	var errno syscall.Errno
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer faulted(&errno)
	r.shared.left.Store(1)
}

// rouse reports whether the peer sleeps and this caller is the one to wake it.
// What was changed for it was stored before, and it looks once more after it
// has said that it sleeps: one of the two sees what the other did.
func rouse(asleep *atomic.Uint32) bool { return asleep.Load() != 0 && asleep.Swap(0) != 0 }

// faulted turns an access that the system could not carry out, for want of
// memory, into an error of this connection: by default it would end the whole
// process. Everything else is a mistake of ours.
func faulted(errno *syscall.Errno) {
	switch fault := recover().(type) {
	case nil:
	case interface{ Addr() uintptr }:
		*errno = syscall.EFAULT
	default:
		panic(fault)
	}
}
