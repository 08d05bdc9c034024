package transport

import (
	"fmt"
	"os"
	"path/filepath"
)

// RuntimeDir returns the directory for what this user's services leave on
// disk, and makes it if need be: $EKKO_IPC_RUNTIME_DIR or ekko-ipc in the
// user's cache directory, which the system protects. Pipes are in none.
func RuntimeDir() (string, error) {
	dir := os.Getenv(RuntimeDirEnv)
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("transport: no directory for services: %w; %s can name one", err, RuntimeDirEnv)
		}
		dir = filepath.Join(cache, "ekko-ipc")
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("%w: %s: %s is not absolute", ErrInvalidAddress, RuntimeDirEnv, dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("transport: %w", err)
	}
	return filepath.Clean(dir), nil
}

// ServiceAddress returns the address at which a service of that name of this
// user is to be found: a Windows pipe, of which no other user's service has
// the name, nor one in another $EKKO_IPC_RUNTIME_DIR.
func ServiceAddress(name string) (string, error) {
	if err := checkSocketName(name); err != nil {
		return "", err
	}
	sid, err := ownSID()
	if err != nil {
		return "", err
	}
	dir := os.Getenv(RuntimeDirEnv)
	if dir != "" {
		if dir, err = RuntimeDir(); err != nil {
			return "", err
		}
	}
	return SchemePipe + ":" + servicePipe(servicePipes(sid, dir), name), nil
}
