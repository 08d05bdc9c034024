//go:build unix && !aix && !solaris

package transport

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// lockFile is the right to a socket's path, held while the process lives: the
// kernel gives it back when the process dies, however it dies.
type lockFile struct {
	path string
	file *os.File
}

// takeLock takes the lock at path, or returns ErrAddressInUse with the
// holder's number.
func takeLock(path string) (*lockFile, error) {
	for {
		f, err := openLock(path)
		if err != nil {
			return nil, err
		}
		err = ignoringEINTR(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
		if err != nil {
			err = lockError(path, f, err)
			f.Close()
			return nil, err
		}
		l := &lockFile{path: path, file: f}
		if l.stillThere() {
			return l, l.sign()
		}
		// The holder before us removed the file between our open and our
		// lock: what we hold is no longer the name's.
		f.Close()
	}
}

func openLock(path string) (*os.File, error) {
	const flags = unix.O_RDWR | unix.O_CREAT | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_NONBLOCK
	var fd int
	err := ignoringEINTR(func() (err error) {
		fd, err = unix.Open(path, flags, 0o600)
		return err
	})
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EISDIR), errors.Is(err, unix.ENXIO):
		return nil, fmt.Errorf("%w: lock file %s: it is not a regular file", ErrUntrustedPath, path)
	case err != nil:
		return nil, fmt.Errorf("transport: lock file %s: %w", path, err)
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	switch {
	case err != nil:
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		err = fmt.Errorf("it is not a regular file")
	case st.Uid != uint32(os.Geteuid()):
		err = fmt.Errorf("it belongs to user %d", st.Uid)
	case st.Nlink > 1:
		err = fmt.Errorf("it has another name")
	default:
		return os.NewFile(uintptr(fd), path), nil
	}
	unix.Close(fd)
	return nil, fmt.Errorf("%w: lock file %s: %w", ErrUntrustedPath, path, err)
}

func lockError(path string, f *os.File, err error) error {
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("transport: locking %s: %w", path, err)
	}
	text, _ := io.ReadAll(io.LimitReader(f, 16))
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		return fmt.Errorf("%w: process %d holds %s", ErrAddressInUse, pid, path)
	}
	return fmt.Errorf("%w: another process holds %s", ErrAddressInUse, path)
}

// sign writes the holder's number for others to read, and gives the file the
// mode that a umask may have denied it.
func (l *lockFile) sign() error {
	err := l.file.Chmod(0o600)
	if err == nil {
		err = l.file.Truncate(0)
	}
	if err == nil {
		_, err = l.file.WriteAt(strconv.AppendInt(nil, int64(os.Getpid()), 10), 0)
	}
	if err != nil {
		l.release()
		return fmt.Errorf("transport: lock file: %w", err)
	}
	return nil
}

// stillThere reports whether the path names the locked file.
func (l *lockFile) stillThere() bool {
	var held, named unix.Stat_t
	return unix.Fstat(int(l.file.Fd()), &held) == nil &&
		unix.Lstat(l.path, &named) == nil &&
		held.Dev == named.Dev && held.Ino == named.Ino
}

// release removes the lock file while it is still held; whoever opened it
// before will find that out by stillThere.
func (l *lockFile) release() {
	if l.stillThere() {
		os.Remove(l.path)
	}
	l.file.Close()
}
