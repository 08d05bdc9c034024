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
// fallbacks may be missing, and so may what is offered besides.
func (s *Service) listenLocked(ctx context.Context, addresses []string) error {
	optional := len(addresses) == 0
	var offers []string
	if optional {
		var err error
		if addresses, offers, err = s.addresses(); err != nil {
			return err
		}
	}
	for i, address := range addresses {
		err := s.listenAtLocked(ctx, address)
		if err != nil && optional && i > 0 && ctx.Err() == nil {
			s.logger.Warn("ipc: serving without a fallback", "address", address, "error", err.Error())
			continue
		}
		if err != nil {
			return s.refuseLocked(address, err)
		}
	}
	for _, address := range offers {
		err := s.listenAtLocked(ctx, address)
		switch {
		case err == nil:
		case errors.Is(err, transport.ErrAddressInUse), errors.Is(err, transport.ErrUntrustedPath), ctx.Err() != nil:
			return s.refuseLocked(address, err)
		default:
			s.logger.Debug("ipc: serving without shared memory", "address", address, "error", err.Error())
		}
	}
	return nil
}

func (s *Service) listenAtLocked(ctx context.Context, address string) error {
	l, err := transport.Listen(ctx, address, s.transportOptions(address))
	if err == nil {
		s.listeners = append(s.listeners, l)
	}
	return err
}

// refuseLocked closes what was opened before it turned out that there is no
// listening at address.
func (s *Service) refuseLocked(address string, err error) error {
	for _, l := range s.listeners {
		l.Close()
	}
	s.listeners = nil
	return listenError(s.name, address, err)
}

// addresses returns where to serve if nobody says: at the sockets the process
// was started with, or where the manifest says. What it offers besides may be
// missing, unless somebody else is there: clients would go to him.
func (s *Service) addresses() (addresses, offers []string, err error) {
	inherited := transport.Inherited()
	if len(inherited) == 1 || slices.Contains(inherited, s.name) {
		name := s.name
		if len(inherited) == 1 {
			name = "" // whatever it is called
		}
		return []string{transport.SchemeInherit + ":" + name}, nil, nil
	}
	ways, err := registry.WaysOf(s.manifest)
	if err != nil {
		return nil, nil, err
	}
	for _, way := range registry.Open(ways) {
		list := &addresses
		if way.Offer {
			list = &offers
		}
		if !slices.Contains(*list, way.Address) {
			*list = append(*list, way.Address)
		}
	}
	return addresses, offers, nil
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
