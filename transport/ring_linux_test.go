package transport

import (
	"bytes"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ringsForTest returns both ends of one ring, and its memory.
func ringsForTest(t *testing.T) (*ringWriter, *ringReader, []byte) {
	t.Helper()
	m, err := newSharedMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.drop)
	w, r := newRingWriter(m.bytes, 0), newRingReader(m.bytes, 0)
	return &w, &r, m.bytes
}

func TestRingWordsDoNotShareCacheLines(t *testing.T) {
	var w ringWords
	if size := unsafe.Sizeof(w); 2*size > wordsSize {
		t.Errorf("two rings need %d bytes for words, there are %d", 2*size, wordsSize)
	}
	for _, at := range []uintptr{unsafe.Offsetof(w.head), unsafe.Offsetof(w.readerAsleep), unsafe.Offsetof(w.writerAsleep), unsafe.Sizeof(w)} {
		if at%128 != 0 {
			t.Errorf("a group begins at byte %d", at)
		}
	}
}

// TestRing writes and reads pieces of all lengths, over many turns of the
// ring, narrow and wide.
func TestRing(t *testing.T) {
	for _, longest := range []int{100, ringNarrow, 3 * ringSize} {
		w, r, _ := ringsForTest(t)
		w.tail, r.head = ^uint32(0)-1000, ^uint32(0)-1000 // the numbers come round
		w.shared.tail.Store(w.tail)
		w.shared.head.Store(r.head)
		random := rand.New(rand.NewPCG(1, uint64(longest)))
		var written, read byte // each byte is the one before and one
		buf := make([]byte, longest)
		for range 10_000_000 / (1000 + longest) {
			p := buf[:1+random.IntN(longest)]
			for i := range p {
				p[i] = written + byte(i)
			}
			n, _, errno := w.some(p)
			if errno != 0 && (errno != syscall.EAGAIN || n != 0) {
				t.Fatal(n, errno)
			}
			written += byte(n)
			if p = buf; longest > ringNarrow {
				p = buf[:random.IntN(longest)]
			}
			n, _, errno = r.some(p)
			if errno != 0 && (errno != syscall.EAGAIN || n != 0) {
				t.Fatal(n, errno)
			}
			for i, got := range p[:n] {
				if got != read+byte(i) {
					t.Fatalf("byte %d of %d is %d, want %d", i, n, got, read+byte(i))
				}
			}
			read += byte(n)
		}
		if wide := w.window == ringSize; wide != (longest > ringNarrow) {
			t.Errorf("pieces of up to %d bytes: the window has %d", longest, w.window)
		}
	}
}

func TestRingEnd(t *testing.T) {
	w, r, _ := ringsForTest(t)
	w.some([]byte("last"))
	w.end()
	p := make([]byte, 10)
	if n, _, errno := r.some(p); string(p[:n]) != "last" || errno != 0 {
		t.Errorf("got %q, %v", p[:n], errno)
	}
	if n, _, errno := r.some(p); n != 0 || errno != 0 {
		t.Errorf("at the end: %d, %v", n, errno)
	}
	r.leave()
	if _, _, errno := w.some([]byte("x")); errno != syscall.EPIPE {
		t.Errorf("writing to nobody: %v", errno)
	}
}

// TestR07_LiesAboutIndices: what the peer says of where it is, is either
// possible or refused.
func TestR07_LiesAboutIndices(t *testing.T) {
	p := make([]byte, 2*ringSize)
	for _, lie := range []uint32{1, ringNarrow, ringNarrow + 1, ringSize, ringSize + 1, 1 << 31, ^uint32(0)} {
		w, r, _ := ringsForTest(t)
		w.shared.tail.Store(lie)
		n, _, errno := r.some(p)
		if lie <= ringNarrow && (n != int(lie) || errno != 0) || lie > ringNarrow && errno != syscall.EPROTO {
			t.Errorf("%d bytes to be read in a window of %d: %d, %v", lie, ringNarrow, n, errno)
		}
		w, _, _ = ringsForTest(t)
		w.shared.head.Store(lie) // more was read than was written
		if n, _, errno := w.some(p[:1]); (errno == syscall.EPROTO) != (-lie > ringNarrow) {
			t.Errorf("%d bytes read of none: %d, %v", lie, n, errno)
		}
	}
	for _, window := range []uint32{0, 1, ringNarrow - 1, ringNarrow + 1, 3 * ringNarrow, 2 * ringSize, 1 << 31, ^uint32(0)} {
		w, r, _ := ringsForTest(t)
		w.shared.tail.Store(1)
		w.shared.window.Store(window)
		if n, _, errno := r.some(p); errno != syscall.EPROTO {
			t.Errorf("a window of %d: %d, %v", window, n, errno)
		}
	}
}

// TestR07_MemoryThatChangesAllTheTime: a peer that writes anything anywhere
// while a ring is used gets errors, and bytes that are its own.
func TestR07_MemoryThatChangesAllTheTime(t *testing.T) {
	m, err := newSharedMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer m.drop()
	var stop atomic.Bool
	var hostile sync.WaitGroup
	for seed := range uint64(2) {
		hostile.Go(func() {
			random := rand.New(rand.NewPCG(7, seed))
			words := (*[2 * unsafe.Sizeof(ringWords{}) / 4]atomic.Uint32)(unsafe.Pointer(&m.bytes[0]))
			for !stop.Load() {
				for range 64 {
					at, x := random.IntN(len(words)), random.Uint32()
					switch random.IntN(4) {
					case 0:
						x %= 2 * ringSize
					case 1:
						x = 1 << (x % 32)
					case 2: // near the truth
						x = words[at].Load() + x%5 - 2
					}
					words[at].Store(x)
				}
				// A word of the ring, as the peer writes it while it is read.
				(*atomic.Uint32)(unsafe.Pointer(&m.bytes[wordsSize+4*random.IntN(2*ringSize/4)])).Store(random.Uint32())
				runtime.Gosched()
			}
		})
	}
	ops := 1_000_000
	if raceEnabled {
		ops /= 10
	}
	const border = 64 // bytes that nobody is to touch
	buf := make([]byte, 2*publishMax+2*border)
	random := rand.New(rand.NewPCG(8, 8))
	w, r := newRingWriter(m.bytes, 0), newRingReader(m.bytes, 1)
	refused, moved := 0, 0
	for i := 0; i < ops || i < 100*ops && (refused == 0 || moved == 0); i++ {
		p := buf[border : border+random.IntN(600)]
		if random.IntN(100) == 0 {
			p = buf[border : border+random.IntN(2*publishMax)]
		}
		var n int
		var errno syscall.Errno
		if random.IntN(2) == 0 {
			n, _, errno = w.some(p)
		} else {
			n, _, errno = r.some(p)
		}
		switch errno {
		case 0, syscall.EAGAIN, syscall.EPIPE:
		case syscall.EPROTO: // the connection's end: the next one
			w, r = newRingWriter(m.bytes, 0), newRingReader(m.bytes, 1)
			w.tail, r.head = w.shared.head.Load(), r.shared.tail.Load()
			refused++
		default:
			t.Fatal(errno)
		}
		if n < 0 || n > len(p) {
			t.Fatalf("%d bytes of %d", n, len(p))
		}
		moved += n
		w.sleep()
		r.sleep()
	}
	if refused == 0 || moved == 0 {
		t.Errorf("%d lies were refused, %d bytes moved: nothing was tried", refused, moved)
	}
	stop.Store(true)
	hostile.Wait()
	if untouched := make([]byte, border); !bytes.Equal(buf[:border], untouched) || !bytes.Equal(buf[len(buf)-border:], untouched) {
		t.Error("bytes were put beside where they belong")
	}
}

// TestR07_MemoryTakenAway: where the seals do not hold, or the system has no
// page to give, the connection fails and not the process.
func TestR07_MemoryTakenAway(t *testing.T) {
	fd, err := unix.MemfdCreate("unsealed", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	m := &sharedMemory{fd: fd}
	defer m.drop()
	if err := unix.Ftruncate(fd, sharedSize); err != nil {
		t.Fatal(err)
	}
	if err := m.open(); err != nil {
		t.Fatal(err)
	}
	w, r := newRingWriter(m.bytes, 0), newRingReader(m.bytes, 0)
	p := make([]byte, 100)
	for _, left := range []int64{wordsSize, 0} {
		w.some(p)
		if err := unix.Ftruncate(fd, left); err != nil {
			t.Fatal(err)
		}
		if _, _, errno := r.some(p); errno != syscall.EFAULT {
			t.Errorf("reading with %d bytes left: %v", left, errno)
		}
		if _, _, errno := w.some(p); errno != syscall.EFAULT {
			t.Errorf("writing with %d bytes left: %v", left, errno)
		}
	}
	if _, errno := w.sleep(); errno != syscall.EFAULT {
		t.Error("a writer about to sleep:", errno)
	}
	if _, errno := r.sleep(); errno != syscall.EFAULT {
		t.Error("a reader about to sleep:", errno)
	}
	w.end()
	r.leave()
}

// TestR07_SealsHold: nobody who is handed the memory can take it away.
func TestR07_SealsHold(t *testing.T) {
	m, err := newSharedMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer m.drop()
	for _, size := range []int64{0, wordsSize, sharedSize + 1} {
		if err := unix.Ftruncate(m.fd, size); err != unix.EPERM {
			t.Errorf("ftruncate to %d: %v, want EPERM", size, err)
		}
	}
	if err := checkMemory(m.fd); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir("/dev/shm")
	if err == nil {
		for _, e := range left {
			if bytes.Contains([]byte(e.Name()), []byte("ekko")) {
				t.Error("the memory has a name:", e.Name())
			}
		}
	}
}
