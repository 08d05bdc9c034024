package transport

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
)

// RuntimeDirEnv is the variable that names the directory for sockets and
// overrules every other rule of RuntimeDir.
const RuntimeDirEnv = "EKKO_IPC_RUNTIME_DIR"

// SocketPath returns the path of the socket of a service, by name. A name too
// long for a socket's path is shortened and told apart by a hash.
func SocketPath(name string) (string, error) {
	if err := checkSocketName(name); err != nil {
		return "", err
	}
	dir, err := RuntimeDir()
	if err != nil {
		return "", err
	}
	return socketPath(dir, name)
}

const (
	socketSuffix = ".sock"
	hashDigits   = 16
)

func socketPath(dir, name string) (string, error) {
	room := MaxPath - len(dir) - len("/") - len(socketSuffix)
	if len(name) > room && room < 1+hashDigits {
		return "", fmt.Errorf("%w: the directory %s is too long for sockets in it; %s can name another",
			ErrInvalidAddress, dir, RuntimeDirEnv)
	}
	return filepath.Join(dir, shortened(name, room)+socketSuffix), nil
}

// shortened returns name, or if there is no room for it, its beginning and a
// hash. No name holds a plus sign, so no other name becomes the same.
func shortened(name string, room int) string {
	if len(name) <= room {
		return name
	}
	return name[:room-1-hashDigits] + "+" + hashOf(name)
}

func hashOf(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s)))[:hashDigits] }

func checkSocketName(name string) error {
	if name == "" || name[0] == '.' || strings.ContainsFunc(name, strangeInName) {
		return fmt.Errorf("%w: %q cannot name a socket: letters, digits, dots, - and _ can",
			ErrInvalidAddress, name)
	}
	return nil
}

// strangeInName reports whether names hold no such letter.
func strangeInName(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		r == '-' || r == '_' || r == '.')
}
