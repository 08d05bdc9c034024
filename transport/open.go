package transport

import (
	"context"
	"errors"
	"fmt"
)

// Listen serves an address; see Address for the forms. The context bounds
// the listening's beginning only.
func Listen(ctx context.Context, address string, o *Options) (Listener, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	switch a.Scheme {
	case SchemeUnix:
		return listenUnix(ctx, a.Path, o)
	case SchemeTCP:
		return listenTCP(ctx, a.Host, o)
	case SchemeMem:
		return listenMem(a.Name, o)
	case SchemeStdio:
		return listenStdio(o)
	}
	return nil, unsupported(address)
}

// Dial connects to an address. The context bounds the connecting only.
func Dial(ctx context.Context, address string, o *Options) (Conn, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	switch a.Scheme {
	case SchemeUnix:
		return dialUnix(ctx, a.Path, o)
	case SchemeTCP:
		return dialTCP(ctx, a.Host, o)
	case SchemeMem:
		return dialMem(ctx, a.Name, o)
	case SchemeStdio:
		return dialStdio(o)
	}
	return nil, unsupported(address)
}

func unsupported(address string) error {
	return fmt.Errorf("%w: %s", ErrUnsupported, address)
}

func dialError(err error) error {
	if errors.Is(err, errnoRefused) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return fmt.Errorf("transport: %w", err)
}
