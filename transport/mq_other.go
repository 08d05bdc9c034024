//go:build !linux

package transport

import (
	"context"
	"fmt"
	"runtime"
)

// Other systems have no queues that can be waited for beside other things.

func listenMQ(context.Context, string, *Options) (Listener, error) { return nil, noMQ() }

func dialMQ(context.Context, string, *Options) (Conn, error) { return nil, noMQ() }

func noMQ() error {
	return fmt.Errorf("%w: POSIX message queues on %s; tcp:127.0.0.1:0 is there, and unix: where there are Unix sockets", ErrUnsupported, runtime.GOOS)
}
