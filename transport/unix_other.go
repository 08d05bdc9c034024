//go:build !unix || aix || solaris

package transport

import (
	"context"
	"fmt"
	"runtime"
)

// Unix sockets are left to systems on which the peer can be asked for, or
// the directory protects them.

func listenUnix(context.Context, string, *Options) (Listener, error) { return nil, noUnix() }

func noUnix() error {
	return fmt.Errorf("%w: unix sockets on %s; on Windows pipe: is there, and tcp:127.0.0.1:0", ErrUnsupported, runtime.GOOS)
}
