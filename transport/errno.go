//go:build !windows

package transport

import "syscall"

// What connecting and binding fail with.
const (
	errnoRefused = syscall.ECONNREFUSED
	errnoInUse   = syscall.EADDRINUSE
)
