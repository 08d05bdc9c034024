package transport

import (
	"context"
	"errors"
	"fmt"
)

// Listen serves an address; see Address for the forms. The context bounds
// the listening's beginning only.
func Listen(ctx context.Context, address string, o *Options) (Listener, error) {
	a, err := o.ParseAddress(address)
	if err != nil {
		return nil, err
	}
	return schemes[a.Scheme].listen(ctx, &a, o)
}

// Dial connects to an address. The context bounds the connecting only.
func Dial(ctx context.Context, address string, o *Options) (Conn, error) {
	a, err := o.ParseAddress(address)
	if err != nil {
		return nil, err
	}
	return schemes[a.Scheme].dial(ctx, &a, o)
}

func dialError(err error) error {
	if errors.Is(err, errnoRefused) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return fmt.Errorf("transport: %w", err)
}
