//go:build !windows

package registry

import (
	"path/filepath"
	"strings"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// localAddress returns the address of a Unix socket.
func localAddress(service, address string) (string, error) {
	return socketAddress(service, transport.SchemeUnix, address)
}

// socketAddress returns the address of a Unix socket, for itself or for shared
// memory, or of a FIFO, given as a bare name, as the name of a Windows pipe, or
// as a path in the runtime directory.
func socketAddress(service, scheme, address string) (string, error) {
	if address == "" {
		address = service
	}
	address = strings.TrimPrefix(address, `\\.\pipe\`)
	path, whole := strings.CutPrefix(address, scheme+":")
	if !whole && !filepath.IsAbs(path) {
		return nameAddress(service, scheme, path)
	}
	dir, err := transport.RuntimeDir()
	if err != nil {
		return "", wire.Errorf(wire.CodeUntrustedPeer, "runtime directory: %w", err)
	}
	in, err := filepath.Rel(dir, path)
	if err != nil || !filepath.IsAbs(path) || in == "." || !filepath.IsLocal(in) {
		return "", refused(service, address, "it is not in the runtime directory "+dir)
	}
	return checked(service, scheme+":"+filepath.Clean(path))
}
