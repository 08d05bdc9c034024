//go:build unix && !aix && !solaris && !darwin

package transport

import (
	"fmt"
	"io/fs"
)

// launchd is not there.
func launchd(name string) (fd int, err error) {
	return -1, fmt.Errorf("transport: inherit:%s: no socket was passed to this process: %w", name, fs.ErrNotExist)
}
