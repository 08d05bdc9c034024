//go:build aix || solaris || (!unix && !windows)

package disk

import (
	"errors"
	"io"
)

// lock fails: two processes that write one log would destroy it.
func (system) lock(path string) (io.Closer, error) {
	return nil, pathError("lock", path, errors.ErrUnsupported)
}
