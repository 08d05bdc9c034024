//go:build linux && !race && (amd64 || arm64 || riscv64 || loong64)

package transport

import (
	"syscall"
	"unsafe"
)

// socketCalls are made without a word to the scheduler: they never wait, and
// move 64 KiB at most. Descriptors that a peer passes along are dropped by
// the kernel, since no control message is asked for.
var socketCalls = &rawCalls{
	recvName: "recvfrom", recv: recvNow,
	sendName: "sendto", send: sendNow,
}

// pipeCalls are the same for FIFOs, whose descriptors are non-blocking.
var pipeCalls = &rawCalls{
	recvName: "read", recv: readNow,
	sendName: "write", send: writeNow,
}

func recvNow(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd,
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		syscall.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

func sendNow(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd,
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

func readNow(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd,
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

func writeNow(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd,
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}
