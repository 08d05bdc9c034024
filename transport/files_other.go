//go:build !unix

package transport

import (
	"context"
	"fmt"
	"os"
	"runtime"
)

// Reading from standard input cannot be interrupted here.

func newPipe(_, _ *os.File, _ *Options, _ Framing) (Conn, error) {
	return nil, fmt.Errorf("%w: pipes on %s; tcp:127.0.0.1:0 is there", ErrUnsupported, runtime.GOOS)
}

func stdio(o *Options, f Framing) (Conn, error) { return newPipe(nil, nil, o, f) }

func dialUnix(context.Context, string, *Options) (Conn, error) { return nil, noUnix() }
