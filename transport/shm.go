package transport

import "context"

// Memory that two processes of one machine share. The address is that of a
// Unix socket of its own, over which the memory is handed out: docs/transports.md
// tells how, and ring_linux.go what lies in it.
var shmScheme = scheme{
	parse: func(rest string, a *Address) (err error) {
		a.Path, err = parsePath(rest)
		return err
	},
	text:   func(a *Address) string { return a.Path },
	listen: func(ctx context.Context, a *Address, o *Options) (Listener, error) { return listenShm(ctx, a.Path, o) },
	dial:   func(ctx context.Context, a *Address, o *Options) (Conn, error) { return dialShm(ctx, a.Path, o) },
}
