package disk

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// errUntrusted says that others could have a say in what a file holds.
var errUntrusted = errors.New("not safe to use")

// unavailable is STORAGE_UNAVAILABLE with what is known of the record.
func unavailable(executed wire.Executed, format string, args ...any) *wire.Error {
	e := wire.Errorf(wire.CodeStorageUnavailable, format, args...)
	e.Details.Executed = executed
	return e
}

// fault turns a failed operation on a file, after which nothing of a new
// record is there, into an error for those outside.
func fault(doing string, err error) *wire.Error {
	switch {
	case errors.Is(err, errUntrusted):
		return wire.Errorf(wire.CodePermissionDenied, "%s: %w", doing, err)
	case isFull(err):
		return wire.Errorf(wire.CodeStorageFull, "%s: %w", doing, err)
	}
	return unavailable(wire.ExecutedNo, "%s: %w", doing, err)
}

// overloadAgain is when whoever was told OVERLOADED may come again.
const overloadAgain = 100 * time.Millisecond

// overloadedLocked refuses a record while too much waits for the medium.
func (l *Log) overloadedLocked() *wire.Error {
	e := wire.Errorf(wire.CodeOverloaded, "%d bytes wait to be written already: the disk is slower than its publishers", l.waiting)
	e.Details.RetryAfter = overloadAgain
	return e
}

func closedError() *wire.Error {
	return unavailable(wire.ExecutedNo, "the log is closed")
}

func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// mayPass reports whether an error in opening or reading says nothing about
// what the file holds: there may be no memory or no descriptors at the moment.
func mayPass(err error) bool {
	return !errors.Is(err, fs.ErrNotExist) && !isBroken(err) && !errors.Is(err, os.ErrClosed)
}
