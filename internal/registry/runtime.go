package registry

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// socketSuffix is how the name of a socket in the runtime directory ends.
const socketSuffix = ".sock"

// probeTimeout bounds the question whether somebody serves a socket.
const probeTimeout = time.Second

// runtimeDir looks for a living socket.
func (s *search) runtimeDir(ctx context.Context) (*Resolution, error) {
	if err := alive(ctx, "resolve "+s.name); err != nil {
		return nil, err
	}
	path, err := transport.SocketPath(s.name)
	if err != nil {
		s.note("runtime directory", outcome("", err))
		return nil, nil
	}
	r, err := living(ctx, s.name, path)
	if err != nil {
		if ctx.Err() != nil {
			return nil, alive(ctx, "resolve "+s.name)
		}
		s.note(path, socketOutcome(path, err))
		return nil, nil
	}
	return s.found(r), nil
}

// living returns the service behind the socket at path if somebody serves it
// whom we trust. A socket file alone proves nothing: it stays when its server
// dies.
func living(ctx context.Context, name, path string) (*Resolution, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return nil, errNoSocket
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	address := transport.SchemeUnix + ":" + path
	conn, err := transport.Dial(ctx, address, nil)
	if err != nil {
		return nil, err
	}
	conn.Close()
	r := &Resolution{Name: name, Source: SourceRuntime, Path: path}
	return r.reachedBy([]Way{{Address: address}}), nil
}

var errNoSocket = errors.New("registry: not a socket")

func socketOutcome(path string, err error) string {
	switch {
	case errors.Is(err, errNoSocket):
		return "not a socket"
	case errors.Is(err, transport.ErrRefused):
		return "nobody is listening"
	case errors.Is(err, transport.ErrUntrustedPeer):
		return "refused: served by another user"
	}
	return outcome(path, err)
}

// sockets returns the names of the services that have a socket in the runtime
// directory, dead or alive, with their paths. Those with a name so long that
// only its hash shows are left out.
func sockets() (names, paths []string, err error) {
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
		names, paths = append(names, name), append(paths, filepath.Join(dir, e.Name()))
	}
	return names, paths, nil
}

// quoted returns path as it is, or quoted if it could be mistaken for
// something else than a path when printed.
func quoted(path string) string {
	if q := strconv.Quote(path); q[1:len(q)-1] != path {
		return q
	}
	return path
}
