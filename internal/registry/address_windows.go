package registry

import (
	"path/filepath"
	"strings"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// localAddress returns the address of a pipe. A bare name is that of this
// user's service; one with \\.\pipe\ before it is the pipe itself, which Dial
// turns away from if it is another user's.
func localAddress(service, address string) (string, error) {
	if address == "" {
		address = service
	}
	if name, ok := strings.CutPrefix(address, pipePrefix); ok {
		return checked(service, transport.SchemePipe+":"+name)
	}
	if strings.HasPrefix(address, transport.SchemePipe+":") {
		return checked(service, address)
	}
	path, wasUnix := strings.CutPrefix(address, transport.SchemeUnix+":")
	if wasUnix || filepath.IsAbs(path) || strings.HasPrefix(path, "/") {
		return "", wire.Errorf(wire.CodeTransportUnsupported,
			"service %q: address %q is that of a Unix socket, which Windows lacks; a bare name becomes a pipe here and a socket elsewhere", service, address)
	}
	return nameAddress(service, transport.SchemeUnix, address)
}

// socketAddress is for what Windows lacks.
func socketAddress(service, scheme, _ string) (string, error) {
	return "", wire.Errorf(wire.CodeTransportUnsupported,
		"service %q: there is no %s on Windows; use \"namedpipe\", or list it under \"fallback\"", service, scheme)
}
