package transport

import (
	"errors"
	"os"
	"testing"
	"time"
)

// TestFIFOWatchHasTheReaderLook: on systems that need it, the end is seen at
// the next tick, and not before there is one.
func TestFIFOWatchHasTheReaderLook(t *testing.T) {
	in, peer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	other, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	ticks := time.NewTicker(time.Hour)
	c := make(chan time.Time)
	ticks.C = c
	w := newFIFOWatch(&filePair{in: in, out: out}, ticks)
	c <- time.Now() // finds nothing
	peer.Close()
	c <- time.Now()
	c <- time.Now() // what the one before did is done
	if _, err := in.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the reader was not told to look: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
