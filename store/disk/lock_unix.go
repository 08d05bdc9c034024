//go:build unix && !aix && !solaris

package disk

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// lock takes the lock at path. The file stays when it is given back: who
// removes a lock file has to be careful, and nobody needs the name.
func (system) lock(path string) (io.Closer, error) {
	f, err := openPrivate(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		text, _ := io.ReadAll(io.LimitReader(f, 16))
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		f.Close()
		return nil, &heldError{path: path, pid: pid}
	}
	if err == nil {
		// For people only, so that it is no matter when the disk is full.
		f.Truncate(0)
		f.WriteAt(strconv.AppendInt(nil, int64(os.Getpid()), 10), 0)
		return f, nil
	}
	f.Close()
	return nil, pathError("flock", path, err)
}
