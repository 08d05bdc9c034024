//go:build linux || darwin

package transport

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// fifoVisitor is a client that waits for the service at a pair of its own.
//
// Until that comes it holds both ends of both, or the one could not be opened
// and the other would be at its end.
type fifoVisitor struct {
	door int // the FIFO that all clients write to
	word []byte

	in, out *os.File
	held    [2]int // the ends that become the service's
}

func dialFIFO(ctx context.Context, path string, o *Options) (Conn, error) {
	if err := checkPlace(path); err != nil {
		return nil, err
	}
	if !o.trusts(uint32(os.Geteuid())) {
		return nil, fmt.Errorf("%w: fifo:%s is served by user %d", ErrUntrustedPeer, path, os.Geteuid())
	}
	door, err := openFIFO(path, unix.O_WRONLY)
	switch {
	case errors.Is(err, unix.ENXIO):
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	case err != nil:
		return nil, fmt.Errorf("transport: %w", err)
	}
	defer unix.Close(door)
	var random [fifoNumberLen / 2]byte
	rand.Read(random[:])
	number := hex.EncodeToString(random[:])
	pair := fifoPairOf(path, number)
	defer pair.remove()
	v := &fifoVisitor{door: door, word: fifoWord(number), held: [2]int{-1, -1}}
	defer v.letGo()
	if err := v.open(pair); err != nil {
		v.leave()
		return nil, fmt.Errorf("transport: %w", err)
	}
	if err := letIn(ctx, SchemeFIFO+":"+path, v); err != nil {
		v.leave()
		return nil, err
	}
	return newFIFO(v.in, v.out, o, o.dialFraming())
}

func (v *fifoVisitor) open(p fifoPair) error {
	if err := p.make(); err != nil {
		return err
	}
	in, err := openFIFO(p.down, unix.O_RDONLY)
	if err != nil {
		return err
	}
	v.in = os.NewFile(uintptr(in), p.down)
	if v.held[0], err = openFIFO(p.down, unix.O_WRONLY); err != nil {
		return err
	}
	if v.held[1], err = openFIFO(p.up, unix.O_RDONLY); err != nil {
		return err
	}
	out, err := openFIFO(p.up, unix.O_WRONLY)
	if err != nil {
		return err
	}
	v.out = os.NewFile(uintptr(out), p.up)
	return nil
}

func (v *fifoVisitor) knock() error {
	return ignoringEINTR(func() error {
		_, err := unix.Write(v.door, v.word)
		return err
	})
}

func (v *fifoVisitor) answered(until time.Time) error {
	v.in.SetReadDeadline(until)
	var answer [1]byte
	if _, err := v.in.Read(answer[:]); err != nil {
		return err
	}
	return v.in.SetReadDeadline(time.Time{})
}

// served: a FIFO that nobody reads any more shows it to its writers.
func (v *fifoVisitor) served() bool {
	p := []unix.PollFd{{Fd: int32(v.door), Events: unix.POLLOUT}}
	_, err := unix.Poll(p, 0)
	return err != nil || p[0].Revents&(unix.POLLERR|unix.POLLHUP) == 0
}

// letGo leaves the service's ends to the service.
func (v *fifoVisitor) letGo() {
	for _, fd := range v.held {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// leave closes the client's own ends.
func (v *fifoVisitor) leave() {
	for _, f := range []*os.File{v.in, v.out} {
		if f != nil {
			f.Close()
		}
	}
}
