//go:build !unix

package transport

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Reading from standard input cannot be interrupted here.

func newPipe(_, _ *os.File, _ *Options, _ Framing) (Conn, error) {
	return nil, fmt.Errorf("%w: pipes on %s; tcp:127.0.0.1:0 is there", ErrUnsupported, runtime.GOOS)
}

func stdio(o *Options, f Framing) (Conn, error) { return newPipe(nil, nil, o, f) }

func dialUnix(context.Context, string, *Options) (Conn, error) { return nil, noUnix() }

// RuntimeDir returns the directory in which this user's sockets are, and
// makes it if need be: $EKKO_IPC_RUNTIME_DIR or ekko-ipc in the user's cache
// directory, which the system protects.
func RuntimeDir() (string, error) {
	dir := os.Getenv(RuntimeDirEnv)
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("transport: no directory for sockets: %w", err)
		}
		dir = filepath.Join(cache, "ekko-ipc")
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("%w: %s: %s is not absolute", ErrInvalidAddress, RuntimeDirEnv, dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("transport: %w", err)
	}
	return dir, nil
}
