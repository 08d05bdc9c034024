//go:build !windows

package registry

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// pathOf returns where a service's address is among the files.
func pathOf(address string) string { return strings.TrimPrefix(address, transport.SchemeUnix+":") }

// lookAtSocket returns an error if there is no socket at path.
func lookAtSocket(path string) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode().Type() != fs.ModeSocket {
		err = errNoSocket
	}
	return err
}

// sockets returns the names of the services that have a socket in the runtime
// directory, dead or alive, with their addresses. Those with a name so long that
// only its hash shows are left out.
func sockets() (names, addresses []string, err error) {
	dir, err := transport.RuntimeDir()
	if err != nil {
		return nil, nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), socketSuffix)
		if !ok || e.Type() != fs.ModeSocket || wire.CheckName(name) != nil {
			continue
		}
		if len(names) == maxManifests {
			break
		}
		names, addresses = append(names, name), append(addresses, transport.SchemeUnix+":"+filepath.Join(dir, e.Name()))
	}
	return names, addresses, nil
}
