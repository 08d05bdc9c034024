//go:build !unix

package disk

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// isFull reports whether an operation failed for want of space: on Windows
// ERROR_HANDLE_DISK_FULL or ERROR_DISK_FULL.
func isFull(err error) bool {
	return errors.Is(err, syscall.Errno(39)) || errors.Is(err, syscall.Errno(112))
}

// isBroken reports whether the medium says that it cannot read: on Windows
// ERROR_CRC, ERROR_SECTOR_NOT_FOUND, ERROR_READ_FAULT or ERROR_IO_DEVICE.
func isBroken(err error) bool {
	for _, e := range []syscall.Errno{23, 27, 30, 1117} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// openPrivate opens a regular file. Who may do what to it is the directory's
// matter here: that of the user's profile is closed to others.
func openPrivate(path string, flag int) (*os.File, error) {
	if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", errUntrusted, path)
	}
	return os.OpenFile(path, flag, 0o600)
}
