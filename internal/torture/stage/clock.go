//go:build linux

package stage

import (
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Now is the monotonic clock of the machine, in nanoseconds.
func Now() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic("stage: no monotonic clock: " + err.Error())
	}
	return t.Nano()
}

// EndWithStdin calls end when whoever started this process has ended, in
// whatever way, or wants it to end.
func EndWithStdin(end func()) {
	io.Copy(io.Discard, os.Stdin)
	end()
}

// Pause waits for ms milliseconds, or until ctx ends.
func Pause(ctx context.Context, ms float64) error {
	t := time.NewTimer(time.Duration(ms * float64(time.Millisecond)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
