//go:build !linux && !darwin

package transport

import (
	"context"
	"fmt"
	"runtime"
)

// FIFOs are left to systems on which somebody has seen what their pollers
// make of them.

func listenFIFO(context.Context, string, *Options) (Listener, error) { return nil, noFIFO() }

func dialFIFO(context.Context, string, *Options) (Conn, error) { return nil, noFIFO() }

func noFIFO() error {
	return fmt.Errorf("%w: FIFOs on %s; tcp:127.0.0.1:0 is there, and unix: where there are Unix sockets", ErrUnsupported, runtime.GOOS)
}
