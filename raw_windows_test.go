package ipc_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/windows"
)

var pipesMade atomic.Int32

// localAddress is an address of this machine that nobody serves.
func localAddress(testing.TB) string {
	return fmt.Sprintf("pipe:ekko-root-test-%d-%d", os.Getpid(), pipesMade.Add(1))
}

// dialRaw connects to a local address without a library.
func dialRaw(address string) (net.Conn, error) {
	if tcp, ok := strings.CutPrefix(address, "tcp:"); ok {
		return net.Dial("tcp", tcp)
	}
	path, err := windows.UTF16PtrFromString(`\\.\pipe\` + strings.TrimPrefix(address, "pipe:"))
	if err != nil {
		return nil, err
	}
	for {
		h, err := windows.CreateFile(path, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_OVERLAPPED, 0)
		switch {
		case err == nil:
			return rawPipe{os.NewFile(uintptr(h), address)}, nil
		case err != windows.ERROR_PIPE_BUSY: // too many at once, for a moment
			return nil, err
		}
		runtime.Gosched()
	}
}

// rawPipe is a pipe where a net.Conn is wanted.
type rawPipe struct{ *os.File }

func (rawPipe) LocalAddr() net.Addr  { return nil }
func (rawPipe) RemoteAddr() net.Addr { return nil }

// listenRaw serves a local address without a library: package net knows no
// pipes.
func listenRaw(t testing.TB) (net.Listener, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l, "tcp:" + l.Addr().String()
}

// closeWrite cannot be done: a pipe ends both ways at once.
func closeWrite(t testing.TB, _ net.Conn) error {
	t.Helper()
	notOnWindows(t, "a connection that ends one way")
	return nil
}
