package transport

import (
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// checkedIn are the sockets that launchd has given, which it does once.
var checkedIn struct {
	mu sync.Mutex
	by map[string]int
}

// launchd returns the descriptor of a socket of the job that this process is,
// by its name under "Sockets" in the job's property list. Of several, as for
// one name with two addresses, it is the first.
func launchd(name string) (fd int, err error) {
	checkedIn.mu.Lock()
	defer checkedIn.mu.Unlock()
	if fd, ok := checkedIn.by[name]; ok {
		return fd, nil
	}
	text, err := unix.BytePtrFromString(name)
	if err != nil {
		return -1, err
	}
	var fds *int32 // malloc's; a few bytes, once, that are not given back
	var n uintptr
	code, _, _ := syscall_syscall(launch_activate_socket_trampoline_addr,
		uintptr(unsafe.Pointer(text)), uintptr(unsafe.Pointer(&fds)), uintptr(unsafe.Pointer(&n)))
	runtime.KeepAlive(text)
	if code != 0 || n == 0 || fds == nil {
		return -1, fmt.Errorf("transport: inherit:%s: launchd has no such socket for this process (%v): %w", name, syscall.Errno(code), fs.ErrNotExist)
	}
	given := unsafe.Slice(fds, n)
	for _, extra := range given[1:] {
		unix.Close(int(extra))
	}
	if checkedIn.by == nil {
		checkedIn.by = map[string]int{}
	}
	checkedIn.by[name] = int(given[0])
	return int(given[0]), nil
}

var launch_activate_socket_trampoline_addr uintptr

//go:cgo_import_dynamic libc_launch_activate_socket launch_activate_socket "/usr/lib/libSystem.B.dylib"

//go:linkname syscall_syscall syscall.syscall
func syscall_syscall(fn, a1, a2, a3 uintptr) (r1, r2 uintptr, err syscall.Errno)
