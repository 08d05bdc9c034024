//go:build linux || darwin

package transport

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// openFIFO opens a FIFO of this user that nobody else can open, without
// waiting for the other end: ENXIO says that a writer would have no reader.
func openFIFO(path string, mode int) (int, error) {
	var fd int
	err := ignoringEINTR(func() (err error) {
		fd, err = unix.Open(path, mode|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		return err
	})
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EISDIR):
		return -1, fmt.Errorf("%w: %s is not a FIFO", ErrUntrustedPath, path)
	case err != nil:
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if err := checkFIFO(fd, path); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// checkFIFO asks the kernel about what was opened. Whoever is at the other end
// has opened it too, which takes its owner or root.
func checkFIFO(fd int, path string) error {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	switch {
	case err != nil:
		return &os.PathError{Op: "fstat", Path: path, Err: err}
	case uint32(st.Mode)&unix.S_IFMT != unix.S_IFIFO:
		return fmt.Errorf("%w: %s is not a FIFO", ErrUntrustedPath, path)
	case st.Uid != uint32(os.Geteuid()):
		return fmt.Errorf("%w: %s belongs to user %d", ErrUntrustedPath, path, st.Uid)
	case st.Mode&0o077 != 0:
		return fmt.Errorf("%w: %s is open to others (mode %04o, want 0600)", ErrUntrustedPath, path, st.Mode&0o7777)
	}
	return nil
}

// makeFIFO makes one for this user only, whatever the umask.
func makeFIFO(path string) error {
	if err := unix.Mkfifo(path, 0o600); err != nil {
		return &os.PathError{Op: "mkfifo", Path: path, Err: err}
	}
	return os.Chmod(path, 0o600)
}

// fifoPair is where a client and the service meet.
type fifoPair struct{ up, down string }

func fifoPairOf(path, number string) fifoPair {
	return fifoPair{path + "~" + number + "u", path + "~" + number + "d"}
}

func (p fifoPair) make() error {
	if err := makeFIFO(p.up); err != nil {
		return err
	}
	return makeFIFO(p.down)
}

func (p fifoPair) remove() {
	removeOwn(p.up, aFIFO)
	removeOwn(p.down, aFIFO)
}

// newFIFO makes a Conn of two FIFOs, in to read from and out to write to.
//
// The peer is Known: to be at the other end takes opening a FIFO that only
// this user and root can open, in a directory where nobody else can put one.
// That is all the kernel says; the group and the process stay unknown.
func newFIFO(in, out *os.File, o *Options, f Framing) (Conn, error) {
	var files ends = &filePair{in: in, out: out}
	if fifoTick > 0 {
		files = newFIFOWatch(files.(*filePair), time.NewTicker(fifoTick))
	}
	s, err := newPolled(in, out, files, pipeCalls)
	if err != nil {
		files.Close()
		return nil, err
	}
	s.wider = widerPipe
	return newFramed(s, Peer{Known: true, UID: uint32(os.Geteuid()), GID: NoUID}, o, f), nil
}
