package registry

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/ekkojs/ipc/transport"
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
	address, err := transport.ServiceAddress(s.name)
	if err != nil {
		s.note("runtime directory", outcome("", err))
		return nil, nil
	}
	path := pathOf(address)
	r, err := living(ctx, s.name, address)
	if err != nil {
		if ctx.Err() != nil {
			return nil, alive(ctx, "resolve "+s.name)
		}
		s.note(path, socketOutcome(path, err))
		return nil, nil
	}
	return s.found(r), nil
}

// living returns the service behind a socket or pipe if somebody serves it
// whom we trust. A socket file alone proves nothing: it stays when its server
// dies.
func living(ctx context.Context, name, address string) (*Resolution, error) {
	path := pathOf(address)
	if err := lookAtSocket(path); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
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

// quoted returns path as it is, or quoted if it could be mistaken for
// something else than a path when printed.
func quoted(path string) string {
	if q := strconv.Quote(path); q[1:len(q)-1] != path {
		return q
	}
	return path
}
