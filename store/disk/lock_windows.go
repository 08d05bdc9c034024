package disk

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// lock takes the lock at path. A locked file cannot be read by others here,
// so nobody is told who has it.
func (system) lock(path string) (io.Closer, error) {
	f, err := openPrivate(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err = windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped))
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return nil, &heldError{path: path}
	}
	return nil, pathError("LockFileEx", path, err)
}
