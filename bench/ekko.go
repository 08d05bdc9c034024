//go:build !solo || ipc

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ekkojs/ipc"
)

// ipcUnix is EkkoJS IPC with its defaults: found by name, the whole JSON
// envelope, identity by the kernel, arguments checked against the manifest,
// a deadline of 30 s on each call.
var ipcUnix = register(&peer{
	name:    ipcName,
	program: "ipc",
	serve:   func(dir, _ string) (string, error) { return dir, serveEkko(dir) },
	dial: func(dir string) (conn, error) { // whose runtime folder is dir too
		c, err := ipc.Dial(context.Background(), ekkoName, &ipc.ClientOptions{Dirs: []string{dir}})
		if err != nil {
			return nil, err
		}
		return ekkoConn{c}, nil
	},
})

const ekkoManifest = `{
	"service": {"name": "bench", "version": "1.0.0", "transport": {"type": "unix"}},
	"methods": {
		"echo": {
			"parameters": [{"name": "value", "type": "object", "required": true}],
			"returns": {"type": "object"}
		}
	}
}`

// serveEkko puts the manifest into dir, where clients find it, and returns
// when the service can be called.
func serveEkko(dir string) error {
	path := filepath.Join(dir, ekkoName+".ekko.ipc.json")
	if err := os.WriteFile(path, []byte(ekkoManifest), 0o600); err != nil {
		return err
	}
	m, err := ipc.LoadManifest(path)
	if err != nil {
		return err
	}
	ready, failed := make(chan struct{}), make(chan error, 1)
	s := ipc.NewService(m, &ipc.ServiceOptions{Ready: func([]string) { close(ready) }})
	s.Handle("echo", func(_ context.Context, r *ipc.Request) (any, error) {
		args, err := r.Args()
		if err != nil {
			return nil, err
		}
		return args[0], nil
	})
	go func() { failed <- s.Serve(context.Background()) }()
	select {
	case <-ready:
		return nil
	case err := <-failed:
		return fmt.Errorf("serving in %s: %w", dir, err)
	}
}

type ekkoConn struct{ c *ipc.Client }

func (c ekkoConn) call(p []byte) ([]byte, error) {
	return c.c.Call(context.Background(), "echo", ipc.Raw(p))
}

func (c ekkoConn) close() { c.c.Close() }
