//go:build !solo || ipc

package main

import (
	"path/filepath"

	"github.com/ekkojs/ipc"
)

// EkkoJS IPC over shared memory, with the same defaults as over a Unix socket.
var _ = register(&peer{
	name:     "ipc-shm",
	program:  "ipc",
	slow:     true,
	profiled: true,
	serve: func(dir, _ string) (string, error) {
		return serveEkko(dir, &ipc.ServiceOptions{}, "shm:"+filepath.Join(dir, "bench.shm"))
	},
	dial: func(addr string) (conn, error) { return dialEkko(addr, &ipc.ClientOptions{}) },
})
