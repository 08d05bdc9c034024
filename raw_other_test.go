//go:build !windows

package ipc_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// localAddress is an address of this machine that nobody serves.
func localAddress(t testing.TB) string { return "unix:" + filepath.Join(t.TempDir(), "s.sock") }

// dialRaw connects to a local address without a library.
func dialRaw(address string) (net.Conn, error) {
	return net.Dial("unix", strings.TrimPrefix(address, "unix:"))
}

// listenRaw serves a local address without a library.
func listenRaw(t testing.TB) (net.Listener, string) {
	t.Helper()
	address := localAddress(t)
	l, err := net.Listen("unix", strings.TrimPrefix(address, "unix:"))
	if err != nil {
		t.Fatal(err)
	}
	return l, address
}

// closeWrite ends the sending side of a raw connection.
func closeWrite(_ testing.TB, c net.Conn) error { return c.(*net.UnixConn).CloseWrite() }
