//go:build unix

package transport

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ekkojs/ipc/internal/place"
)

// checkPlace makes sure that nobody else can decide what is at a socket's
// path.
func checkPlace(socket string) error {
	return checkDir(place.Rule{Shared: true}, filepath.Dir(socket))
}

func checkDir(r place.Rule, dir string) error {
	err := r.Check(dir)
	if fault, ok := errors.AsType[*place.Fault](err); ok {
		return fmt.Errorf("%w: %w", ErrUntrustedPath, fault)
	}
	if err != nil {
		return fmt.Errorf("transport: directory for sockets: %w", err)
	}
	return nil
}
