//go:build !solo || ipc

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/devcert"
)

// ipcUnix is EkkoJS IPC with its defaults: found by name, the whole JSON
// envelope, identity by the kernel, arguments checked against the manifest,
// a deadline of 30 s on each call. Only the limits are raised that larger
// payloads and many connections want.
var ipcUnix = register(&peer{
	name:     ipcName,
	program:  "ipc",
	slow:     true,
	profiled: true,
	serve: func(dir, _ string) (string, error) {
		_, err := serveEkko(dir, &ipc.ServiceOptions{})
		return dir, err
	},
	dial: func(dir string) (conn, error) { // whose runtime folder is dir too
		return dialEkko(ekkoName, &ipc.ClientOptions{Dirs: []string{dir}})
	},
})

// The same over the loopback interface, where the kernel does not tell who is
// calling and the service has to admit anybody.
var _ = register(&peer{
	name:     "ipc-tcp",
	program:  "ipc",
	slow:     true,
	profiled: true,
	serve: func(dir, _ string) (string, error) {
		return serveEkko(dir, &ipc.ServiceOptions{Admit: func(ipc.Caller) bool { return true }}, "tcp:"+loopback)
	},
	dial: func(addr string) (conn, error) { return dialEkko(addr, &ipc.ClientOptions{}) },
})

// The same by mutual TLS, where the service knows the caller by its
// certificate.
var _ = register(&peer{
	name:     "ipc-tls",
	program:  "ipc",
	slow:     true,
	profiled: true,
	serve: func(dir, _ string) (string, error) {
		if _, err := devcert.Write(dir, nil); err != nil {
			return "", err
		}
		address, err := serveEkko(dir, &ipc.ServiceOptions{TLS: tlsFiles(dir, "server", true)}, "tls:"+loopback)
		return dir + " " + address, err
	},
	dial: func(addr string) (conn, error) {
		dir, address, _ := strings.Cut(addr, " ")
		return dialEkko(address, &ipc.ClientOptions{TLS: tlsFiles(dir, "client", false)})
	},
})

func tlsFiles(dir, name string, clientCert bool) *ipc.TLSOptions {
	in := func(file string) string { return filepath.Join(dir, file) }
	return &ipc.TLSOptions{CertFile: in(name + ".pem"), KeyFile: in(name + ".key"), CAFile: in("ca.pem"), ClientCert: clientCert}
}

const ekkoManifest = `{
	"service": {"name": "bench", "version": "1.0.0", "transport": {"type": "unix"}},
	"methods": {
		"echo": {
			"parameters": [{"name": "value", "type": "object", "required": true}],
			"returns": {"type": "object"}
		},
		"wait": {"parameters": []}
	},
	"events": {
		"tick": {"schema": "object"}
	}
}`

// maxFrame has room for the largest payload and its envelope.
const maxFrame = 4 << 20

// serveEkko puts the manifest into dir, where clients find it, and returns
// the first of the service's addresses when it can be called.
func serveEkko(dir string, opts *ipc.ServiceOptions, addresses ...string) (string, error) {
	ready := make(chan string, 1)
	opts.Ready = func(at []string) { ready <- at[0] }
	if _, err := startEkko(dir, opts, addresses...); err != nil {
		return "", err
	}
	return <-ready, nil
}

// startEkko returns the service when it can be called.
func startEkko(dir string, opts *ipc.ServiceOptions, addresses ...string) (*ipc.Service, error) {
	return startEkkoAs(ekkoManifest, dir, opts, addresses...)
}

// startEkkoAs is startEkko with another manifest.
func startEkkoAs(manifest, dir string, opts *ipc.ServiceOptions, addresses ...string) (*ipc.Service, error) {
	path := filepath.Join(dir, ekkoName+".ekko.ipc.json")
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		return nil, err
	}
	m, err := ipc.LoadManifest(path)
	if err != nil {
		return nil, err
	}
	ready, failed, tell := make(chan struct{}), make(chan error, 1), opts.Ready
	opts.Ready = func(at []string) {
		if tell != nil {
			tell(at)
		}
		close(ready)
	}
	opts.MaxFrame, opts.MaxConnections = maxFrame, 1<<16
	s := ipc.NewService(m, opts)
	s.Handle("echo", echo)
	s.Handle("wait", wait)
	go func() { failed <- s.Serve(context.Background(), addresses...) }()
	select {
	case <-ready:
		return s, nil
	case err := <-failed:
		return nil, fmt.Errorf("serving in %s: %w", dir, err)
	}
}

func echo(_ context.Context, r *ipc.Request) (any, error) {
	args, err := r.Args()
	if err != nil {
		return nil, err
	}
	return args[0], nil
}

func wait(ctx context.Context, _ *ipc.Request) (any, error) {
	select {
	case <-time.After(slowness):
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type ekkoConn struct{ c *ipc.Client }

func dialEkko(target string, opts *ipc.ClientOptions) (conn, error) {
	opts.MaxFrame = maxFrame
	c, err := ipc.Dial(context.Background(), target, opts)
	if err != nil {
		return nil, err
	}
	return ekkoConn{c}, nil
}

func (c ekkoConn) call(p []byte) ([]byte, error) {
	return c.c.Call(context.Background(), "echo", ipc.Raw(p))
}

func (c ekkoConn) callSlow() error {
	_, err := c.c.Call(context.Background(), "wait")
	return err
}

func (c ekkoConn) close() { c.c.Close() }
