//go:build linux || darwin

package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// fifoListener reads the FIFO at a path that it has the claim to.
type fifoListener struct {
	*claim
	reception *reception
	closing   sync.Once
	closed    error
}

func listenFIFO(_ context.Context, path string, o *Options) (Listener, error) {
	c, err := takeClaim(path, aFIFO)
	if err != nil {
		return nil, err
	}
	l := &fifoListener{claim: c}
	if err := l.start(o); err != nil {
		removeOwn(c.beside(), aFIFO)
		l.vacate()
		return nil, err
	}
	return l, nil
}

func (l *fifoListener) start(o *Options) error {
	if err := l.checkFree(); err != nil {
		return err
	}
	if err := removeFIFOPairs(l.path); err != nil {
		return err
	}
	if err := unix.Mkfifo(l.beside(), 0o600); err != nil {
		return fmt.Errorf("transport: mkfifo %s: %w", l.beside(), err)
	}
	if err := l.protect(); err != nil {
		return err
	}
	door, err := openFIFODoorway(l.path, l.beside(), o)
	if err != nil {
		return err
	}
	if err := l.place(); err != nil {
		door.Close()
		return err
	}
	l.reception = newReception(door)
	return nil
}

// checkFree makes sure that what is at the path may be replaced: nothing, or
// a FIFO of ours that nobody reads.
func (l *fifoListener) checkFree() error {
	if there, err := l.taken(); !there || err != nil {
		return err
	}
	fd, err := unix.Open(l.path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case err == nil:
		unix.Close(fd)
		return fmt.Errorf("%w: another process reads %s", ErrAddressInUse, l.path)
	case errors.Is(err, unix.ENXIO), errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return &os.PathError{Op: "open", Path: l.path, Err: err}
}

// removeFIFOPairs removes what clients left who were killed before they were
// met. Those that live have no service to wait for, and find that out.
func removeFIFOPairs(path string) error {
	dir, base := filepath.Split(path)
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	for _, name := range names {
		if isFIFOOfPair(name, base) {
			removeOwn(filepath.Join(dir, name), aFIFO)
		}
	}
	return nil
}

// isFIFOOfPair reports whether that is how fifoPairOf names one.
func isFIFOOfPair(name, base string) bool {
	number, found := strings.CutPrefix(name, base+"~")
	if !found || number == "" {
		return false
	}
	last := len(number) - 1
	return strings.ContainsRune("ud", rune(number[last])) && isFIFONumber(number[:last])
}

func (l *fifoListener) Accept() (Conn, error) { return l.reception.next() }

func (l *fifoListener) Addr() string { return SchemeFIFO + ":" + l.path }

// Retire takes the FIFO's name away, so that nobody new finds it, and leaves
// the address to whoever wants to serve it next.
func (l *fifoListener) Retire() {
	l.vacate()
	l.reception.retire()
}

func (l *fifoListener) Close() error {
	l.closing.Do(func() {
		l.closed = l.reception.stop()
		l.vacate()
	})
	return l.closed
}

// fifoDoorway reads the words of clients from the FIFO that all know.
type fifoDoorway struct {
	path    string
	options *Options
	read    *os.File
	keep    int // its other end: without a writer there would be no waiting
	closing sync.Once
	closed  error

	// Of the goroutine that hears:
	block   [4096]byte
	r, w    int
	garbled bool // the line under way is too long to be a word
}

// openFIFODoorway opens the FIFO under its first name, and is reached under
// the one that clients know.
func openFIFODoorway(path, made string, o *Options) (*fifoDoorway, error) {
	fd, err := openFIFO(made, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	d := &fifoDoorway{path: path, options: o, read: os.NewFile(uintptr(fd), path)}
	if d.keep, err = openFIFO(made, unix.O_WRONLY); err != nil {
		d.read.Close()
		return nil, err
	}
	return d, nil
}

// hear returns the next line that is not longer than a word. What is longer
// is nobody's, and its end is the next newline, which each word begins with.
func (d *fifoDoorway) hear() ([]byte, error) {
	for {
		for d.r < d.w {
			line, _, whole := bytes.Cut(d.block[d.r:d.w], newline)
			if !whole {
				break
			}
			d.r += len(line) + 1
			garbled := d.garbled
			d.garbled = false
			if !garbled && len(line) == fifoWordMax {
				return line, nil
			}
		}
		if d.w-d.r > fifoWordMax {
			d.r, d.garbled = d.w, true
		}
		d.w, d.r = copy(d.block[:], d.block[d.r:d.w]), 0
		n, err := d.read.Read(d.block[d.w:])
		if err != nil {
			return nil, err
		}
		d.w += n
	}
}

func (d *fifoDoorway) hearUntil(t time.Time) { d.read.SetReadDeadline(t) }

// meet opens the pair of a client, who has opened it before: that is why
// there is somebody at the other ends.
func (d *fifoDoorway) meet(word []byte) (Conn, error) {
	number, ok := fifoNumber(word)
	if !ok {
		return nil, errNoClient
	}
	pair := fifoPairOf(d.path, number)
	out, err := openFIFO(pair.down, unix.O_WRONLY)
	if err != nil {
		return nil, pair.missed(err)
	}
	in, err := openFIFO(pair.up, unix.O_RDONLY)
	if err != nil {
		unix.Close(out)
		return nil, pair.missed(err)
	}
	pair.remove()
	read, write := os.NewFile(uintptr(in), pair.up), os.NewFile(uintptr(out), pair.down)
	if _, err := unix.Write(out, newline); err != nil {
		read.Close()
		write.Close()
		return nil, errNoClient
	}
	return newFIFO(read, write, d.options, d.options.listenFraming())
}

// missed removes the pair of a client who was killed before he was met,
// unless he may still be.
func (p fifoPair) missed(err error) error {
	if passing(err) {
		return err
	}
	p.remove()
	return errNoClient
}

func (d *fifoDoorway) Close() error {
	d.closing.Do(func() {
		d.closed = d.read.Close()
		unix.Close(d.keep)
	})
	return d.closed
}
