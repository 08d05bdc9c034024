//go:build !windows

package transport

import (
	"context"
	"fmt"
	"runtime"
)

func listenPipe(context.Context, string, *Options) (Listener, error) { return nil, noPipes() }

func dialPipe(context.Context, string, *Options) (Conn, error) { return nil, noPipes() }

func noPipes() error {
	return fmt.Errorf("%w: Windows pipes on %s; unix: is there", ErrUnsupported, runtime.GOOS)
}

// OwnSID returns nothing: users have a SID on Windows only.
func OwnSID() string { return "" }

// selfBySID: users have numbers here, or nothing.
func selfBySID() Peer { return Peer{} }
