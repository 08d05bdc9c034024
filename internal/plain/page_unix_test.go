//go:build linux || darwin

package plain

import (
	"os"
	"syscall"
	"testing"
)

// TestPageEnds has texts at both ends of memory beyond which nothing may be
// read: a byte too far is the end of the program.
func TestPageEnds(t *testing.T) {
	page := os.Getpagesize()
	all, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(all)
	for _, forbidden := range [][]byte{all[:page], all[2*page:]} {
		if err := syscall.Mprotect(forbidden, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	middle := all[page : 2*page]
	for i := range middle {
		middle[i] = 'a'
	}
	for n := range 300 {
		for _, text := range [][]byte{middle[:n], middle[page-n:], middle[n:]} {
			check(t, text)
			for name, run := range enclosures {
				if end := run(text); end != -1 {
					t.Fatalf("%s: no brackets end at %d", name, end)
				}
			}
		}
	}
}
