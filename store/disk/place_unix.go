//go:build unix

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// isFull reports whether an operation failed for want of space.
func isFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// isBroken reports whether the medium says that it cannot read.
func isBroken(err error) bool { return errors.Is(err, unix.EIO) }

// openPrivate opens a regular file of this user, and nothing else.
func openPrivate(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EISDIR), errors.Is(err, unix.ENXIO), errors.Is(err, unix.EMLINK):
		return nil, fmt.Errorf("%w: %s is not a regular file", errUntrusted, path)
	case err != nil:
		return nil, err
	}
	st, err := f.Stat()
	if err == nil {
		if why := fileFault(st); why != "" {
			err = fmt.Errorf("%w: %s %s", errUntrusted, path, why)
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func fileFault(st fs.FileInfo) string {
	s, _ := st.Sys().(*syscall.Stat_t)
	switch {
	case !st.Mode().IsRegular():
		return "is not a regular file"
	case s == nil || s.Uid != uint32(os.Geteuid()):
		return "belongs to somebody else"
	case s.Nlink > 1:
		return "has another name"
	case st.Mode()&0o022 != 0:
		return fmt.Sprintf("can be written by others (mode %04o)", st.Mode().Perm())
	}
	return ""
}
