//go:build !linux

package transport

import (
	"context"
	"fmt"
	"runtime"
)

func listenShm(context.Context, string, *Options) (Listener, error) { return nil, noShm() }

func dialShm(context.Context, string, *Options) (Conn, error) { return nil, noShm() }

// noShm: other systems have no memory that cannot be taken away from under
// whoever reads it.
func noShm() error {
	return fmt.Errorf("%w: shared memory on %s; use unix: instead", ErrUnsupported, runtime.GOOS)
}
