package main

import "golang.org/x/sys/unix"

// monotonic is the clock that does not jump, the same in every process.
func monotonic() int64 {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}
