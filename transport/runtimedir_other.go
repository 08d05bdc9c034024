//go:build !unix && !windows

package transport

import (
	"fmt"
	"os"
	"path/filepath"
)

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
