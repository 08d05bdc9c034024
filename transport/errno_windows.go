package transport

import "golang.org/x/sys/windows"

// What connecting and binding fail with.
const (
	errnoRefused = windows.WSAECONNREFUSED
	errnoInUse   = windows.WSAEADDRINUSE
)
