//go:build unix

package transport

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

func newPipe(in, out *os.File, o *Options, f Framing) (Conn, error) {
	r, err := pollable(in, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	w, err := pollable(out, unix.O_WRONLY)
	if err != nil {
		if r != in {
			r.Close()
		}
		return nil, err
	}
	files := &filePair{in: r, out: w}
	for _, old := range []*os.File{in, out} {
		if old != r && old != w {
			old.Close()
		}
	}
	s, err := newPolled(r, w, files, fileCalls)
	if err != nil {
		files.Close()
		return nil, err
	}
	return newFramed(s, Peer{}, o, f), nil
}

// filePair owns the two files of a connection.
type filePair struct{ in, out *os.File }

func (p *filePair) SetReadDeadline(t time.Time) error  { return p.in.SetReadDeadline(t) }
func (p *filePair) SetWriteDeadline(t time.Time) error { return p.out.SetWriteDeadline(t) }

func (p *filePair) Close() error {
	err := p.in.Close()
	if p.out != p.in {
		err = errors.Join(err, p.out.Close())
	}
	return err
}

// pollable returns f, or another file for the same thing, that does not
// block. Where it can it opens anew, because whether it blocks belongs to the
// open file, which other processes may share: a parent's terminal, or a log
// that standard error goes to as well.
func pollable(f *os.File, mode int) (*os.File, error) {
	if f.SetDeadline(time.Time{}) == nil {
		return f, nil
	}
	fd := int(f.Fd())
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &os.PathError{Op: "fstat", Path: f.Name(), Err: err}
	}
	if kind := st.Mode & unix.S_IFMT; kind == unix.S_IFIFO || kind == unix.S_IFCHR {
		if again, err := reopen(fd, mode|unix.O_NONBLOCK|unix.O_CLOEXEC); err == nil {
			return os.NewFile(uintptr(again), f.Name()), nil
		}
	}
	again, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("transport: duplicating %s: %w", f.Name(), err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG { // a regular file never blocks
		if err := unix.SetNonblock(again, true); err != nil {
			unix.Close(again)
			return nil, fmt.Errorf("transport: %s: %w", f.Name(), err)
		}
	}
	return os.NewFile(uintptr(again), f.Name()), nil
}

// reopen opens what a descriptor stands for once more.
func reopen(fd, flags int) (int, error) {
	var again int
	err := ignoringEINTR(func() (err error) {
		again, err = unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), flags, 0)
		return err
	})
	return again, err
}

func ignoringEINTR(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// stdio takes standard input and output over. What the program prints from
// then on goes to standard error, so that a stray print does not end up
// between two frames; and since nobody else keeps them open, the peer sees
// the end when the connection is closed.
func stdio(o *Options, f Framing) (Conn, error) {
	in, err := replace(0, -1, "stdin")
	if err != nil {
		return nil, err
	}
	out, err := replace(1, 2, "stdout")
	if err != nil {
		in.Close()
		return nil, err
	}
	return newPipe(in, out, o, f)
}

// replace moves a standard descriptor to a file of its own and puts another
// one, or with -1 nothing, in its place.
func replace(fd, by int, name string) (*os.File, error) {
	moved, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("transport: %s: %w", name, err)
	}
	f := os.NewFile(uintptr(moved), name)
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(null)
		if by < 0 {
			by = null
		}
		if err = dup2(by, fd); err != nil && by != null {
			err = dup2(null, fd) // standard error is closed
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("transport: %s: %w", name, err)
	}
	return f, nil
}
