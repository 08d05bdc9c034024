package transport

import (
	"context"
	"fmt"
)

// SchemeMQ's addresses are names, which are the user's own: other users'
// queues of the same name are others.
var mqScheme = scheme{
	parse: func(rest string, a *Address) error {
		if err := checkSocketName(rest); err != nil || len(rest) > maxMQName {
			return fmt.Errorf("a queue is named by at most %d letters, digits, dots, - and _, and not by a dot first", maxMQName)
		}
		a.Name = rest
		return nil
	},
	text:   func(a *Address) string { return a.Name },
	listen: func(ctx context.Context, a *Address, o *Options) (Listener, error) { return listenMQ(ctx, a.Name, o) },
	dial:   func(ctx context.Context, a *Address, o *Options) (Conn, error) { return dialMQ(ctx, a.Name, o) },
}

// maxMQName leaves room for what is put around a name: the system's limit is
// 255.
const maxMQName = 200
