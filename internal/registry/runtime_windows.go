package registry

import (
	"strings"

	"golang.org/x/sys/windows"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// pipePrefix is before the names of this machine's pipes.
const pipePrefix = `\\.\pipe\`

// pathOf returns the address of a service as the system has it.
func pathOf(address string) string {
	return pipePrefix + strings.TrimPrefix(address, transport.SchemePipe+":")
}

// lookAtSocket has nothing to find out: a pipe is gone with its server.
func lookAtSocket(string) error { return nil }

// sockets returns the names of the services of this user that have a pipe,
// with their addresses. Those with a name so long that only its hash shows are
// left out.
func sockets() (names, addresses []string, err error) {
	const any = "x"
	pipes, err := transport.ServiceAddress(any)
	if err != nil {
		return nil, nil, err
	}
	pipes = strings.TrimSuffix(pipes, any)
	err = eachPipe(func(pipe string) bool {
		address := transport.SchemePipe + ":" + pipe
		if name, ok := strings.CutPrefix(address, pipes); ok && wire.CheckName(name) == nil {
			names, addresses = append(names, name), append(addresses, address)
		}
		return len(names) < maxManifests
	})
	return names, addresses, err
}

// eachPipe calls use with the name of every pipe of the machine, until it
// reports false. (Wine has no such list.)
func eachPipe(use func(name string) bool) error {
	pattern, err := windows.UTF16PtrFromString(pipePrefix + "*")
	if err != nil {
		return err
	}
	var found windows.Win32finddata
	search, err := windows.FindFirstFile(pattern, &found)
	if err != nil {
		return err
	}
	defer windows.FindClose(search)
	for err == nil && use(windows.UTF16ToString(found.FileName[:])) {
		err = windows.FindNextFile(search, &found)
	}
	if err == windows.ERROR_NO_MORE_FILES {
		return nil
	}
	return err
}
