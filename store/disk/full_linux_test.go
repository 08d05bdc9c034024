package disk

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

// TestARealDiskIsFull is K5: a small file system is filled and emptied again.
func TestARealDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m,mode=0700"); err != nil {
		t.Skipf("mounting a small file system takes the rights of root: %v", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	s := open(t, filepath.Join(dir, "logs"), nil)
	defer s.Close() // before it is unmounted
	l := openOne(t, s, "orders", store.Limits{})
	h := newHistory()
	r := rand.New(rand.NewPCG(1, 8))
	for cycle := range 20 {
		h.append(t, l, r, 50)
		filler := filepath.Join(dir, "filler")
		fillUp(t, filler)
		if got := add(l, store.Record{Data: make([]byte, 512<<10)}); wire.CodeOf(got.Err) != wire.CodeStorageFull {
			t.Fatalf("cycle %d: %+v", cycle, got)
		}
		h.append(t, l, r, 50) // some may fit
		if err := l.SetCursor("c", fmt.Append(nil, cycle)); err != nil && wire.CodeOf(err) != wire.CodeStorageFull {
			t.Fatal(err)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		before := len(h.acked)
		h.append(t, l, r, 20)
		if len(h.acked) != before+20 {
			t.Fatalf("cycle %d: does not recover", cycle)
		}
		if err := h.verify(l, false); err != nil {
			t.Fatalf("cycle %d: %v", cycle, err)
		}
		_, next := l.Bounds()
		if cycle%5 == 4 {
			h.discard(l, next-10)
			s.Close()
			s = open(t, filepath.Join(dir, "logs"), nil)
			l = openOne(t, s, "orders", store.Limits{})
			if err := h.verify(l, false); err != nil {
				t.Fatalf("cycle %d, opened again: %v", cycle, err)
			}
		}
	}
	s.Close()
}

func fillUp(t *testing.T, path string) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for b := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(b)
	}
	if !isFull(err) {
		t.Fatal(err)
	}
}
