package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncData leaves out what is not needed to read the data again, such as the
// time of the last change. That saves a write of the file system's journal
// where the file does not grow.
func syncData(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return pathError("fdatasync", f.Name(), err)
		}
	}
}
