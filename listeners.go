package ipc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ekkojs/ipc/internal/registry"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// listenLocked opens the listeners, all or none. Those that the manifest calls
// fallbacks may be missing.
func (s *Service) listenLocked(ctx context.Context, addresses []string) error {
	optional := len(addresses) == 0
	if optional {
		var err error
		if addresses, err = s.addresses(); err != nil {
			return err
		}
	}
	for i, address := range addresses {
		l, err := transport.Listen(ctx, address, s.transportOptions(address))
		switch {
		case err == nil:
			s.listeners = append(s.listeners, l)
		case optional && i > 0 && ctx.Err() == nil:
			s.logger.Warn("ipc: serving without a fallback", "address", address, "error", err.Error())
		default:
			for _, l := range s.listeners {
				l.Close()
			}
			s.listeners = nil
			return listenError(s.name, address, err)
		}
	}
	return nil
}

// addresses returns where to serve if nobody says: at the sockets the process
// was started with, or where the manifest says.
func (s *Service) addresses() ([]string, error) {
	inherited := transport.Inherited()
	if len(inherited) == 1 || slices.Contains(inherited, s.name) {
		name := s.name
		if len(inherited) == 1 {
			name = "" // whatever it is called
		}
		return []string{transport.SchemeInherit + ":" + name}, nil
	}
	ways, err := registry.WaysOf(s.manifest)
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, way := range registry.Open(ways) {
		if !slices.Contains(addresses, way.Address) {
			addresses = append(addresses, way.Address)
		}
	}
	return addresses, nil
}

// listenError translates what kept the service from listening.
func listenError(name, address string, err error) error {
	code := wire.CodeTransportUnsupported
	switch {
	case errors.Is(err, transport.ErrAddressInUse):
		code = wire.CodeNameTaken
	case errors.Is(err, transport.ErrUntrustedPath):
		code = wire.CodePermissionDenied
	case errors.Is(err, transport.ErrTLS):
		code = wire.CodeTLSError
	case errors.Is(err, transport.ErrUnsupported), errors.Is(err, transport.ErrNotLoopback):
	case errors.Is(err, transport.ErrInvalidAddress):
		code = wire.CodeInvalidArgument
	default:
		return fmt.Errorf("%s cannot listen at %s: %w", name, address, err)
	}
	return wire.Errorf(code, "%s cannot listen at %s: %w", name, address, err)
}
