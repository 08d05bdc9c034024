package transport

import (
	"context"
	"errors"
	"strings"
)

var inheritScheme = scheme{
	parse: func(rest string, a *Address) error {
		if a.Name = rest; strings.ContainsRune(rest, ':') {
			return errors.New("the name of an inherited socket has no colon")
		}
		return nil
	},
	text:   func(a *Address) string { return a.Name },
	listen: func(_ context.Context, a *Address, o *Options) (Listener, error) { return listenInherited(a.Name, o) },
	dial: func(context.Context, *Address, *Options) (Conn, error) {
		return nil, errors.New("transport: an inherited socket is for the service that inherits it; dial its path or port")
	},
}
