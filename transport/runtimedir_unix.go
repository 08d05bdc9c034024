//go:build unix

package transport

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ekkojs/ipc/internal/place"
)

// RuntimeDir returns the directory in which this user's sockets are, and
// makes it if need be. It is the first of
//
//	$EKKO_IPC_RUNTIME_DIR
//	$XDG_RUNTIME_DIR/ekko-ipc    not in a place such as /tmp
//	/run/user/UID/ekko-ipc       if /run/user/UID exists
//	~/.ekko/run
//
// that is set or there. If that one is not safe, because others could put
// their sockets there, the error is ErrUntrustedPath: to go on with the next
// would let them choose the directory.
func RuntimeDir() (string, error) {
	dir, r, why := runtimePlace()
	if dir == "" {
		return "", fmt.Errorf("transport: no directory for sockets: $HOME is not set; %s can name one", RuntimeDirEnv)
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("%w: %s: %s is not absolute", ErrInvalidAddress, why, dir)
	}
	dir = filepath.Clean(dir)
	if err := checkDir(r, dir); err != nil {
		return "", fmt.Errorf("%w (directory by %s; %s can name another)", err, why, RuntimeDirEnv)
	}
	return dir, nil
}

// runtimePlace chooses, and says by what.
func runtimePlace() (dir string, r place.Rule, why string) {
	// What the user names himself may be readable by others, as their
	// directories often are: the sockets in it are not.
	if dir := os.Getenv(RuntimeDirEnv); dir != "" {
		return dir, place.Rule{Create: true, Shared: true}, RuntimeDirEnv
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "ekko-ipc"), place.Rule{Create: true, Private: true}, "XDG_RUNTIME_DIR"
	}
	users := filepath.Join("/run/user", strconv.Itoa(os.Geteuid()))
	if st, err := os.Lstat(users); err == nil && st.IsDir() {
		return filepath.Join(users, "ekko-ipc"), place.Rule{Create: true, Private: true}, users
	}
	home := os.Getenv("HOME")
	if home == "" {
		return "", place.Rule{}, ""
	}
	return filepath.Join(home, ".ekko", "run"), place.Rule{Create: true, Private: true, Shared: true}, "HOME"
}
