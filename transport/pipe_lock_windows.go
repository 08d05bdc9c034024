package transport

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// The lock of a pipe is a second pipe, that nobody may open: it is there as
// long as somebody listens. The pipe itself would not do, for its name lives
// on with the last of its connections, and with what clients of a dead service
// still hold.
func pipeLockPath(name string) (*uint16, error) {
	return windows.UTF16PtrFromString(pipePrefix + name + "~lock")
}

// lockPipe returns a handle to be closed when the pipe is to be free.
func lockPipe(name string) (windows.Handle, error) {
	path, err := pipeLockPath(name)
	if err != nil {
		return 0, err
	}
	nobody, err := security(lockSDDL)
	if err != nil {
		return 0, err
	}
	h, err := windows.CreateNamedPipe(path, windows.PIPE_ACCESS_INBOUND|windows.FILE_FLAG_FIRST_PIPE_INSTANCE,
		windows.PIPE_REJECT_REMOTE_CLIENTS, 1, 0, 0, 0, nobody)
	switch {
	case errors.Is(err, windows.ERROR_ACCESS_DENIED), errors.Is(err, windows.ERROR_PIPE_BUSY):
		return 0, fmt.Errorf("%w: another process serves %s%s", ErrAddressInUse, pipePrefix, name)
	case err != nil:
		return 0, fmt.Errorf("transport: locking %s%s: %w", pipePrefix, name, err)
	}
	return h, nil
}

var waitNamedPipe = windows.NewLazySystemDLL("kernel32.dll").NewProc("WaitNamedPipeW")

// isLocked reports whether somebody listens who knows locks.
func isLocked(name string) bool {
	path, err := pipeLockPath(name)
	if err != nil {
		return false
	}
	const atOnce = 1 // NMPWAIT_NOWAIT
	_, _, err = waitNamedPipe.Call(uintptr(unsafe.Pointer(path)), atOnce)
	return !errors.Is(err, windows.ERROR_FILE_NOT_FOUND)
}
