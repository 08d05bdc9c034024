package transport

import (
	"context"
	"maps"
	"slices"
)

// A scheme is one way for frames to travel, as its file declares it. What the
// system at hand does not have is parsed all the same: listen and dial say
// what there is instead.
type scheme struct {
	parse  func(rest string, a *Address) error // what follows the colon
	text   func(a *Address) string             // undoes parse
	listen func(ctx context.Context, a *Address, o *Options) (Listener, error)
	dial   func(ctx context.Context, a *Address, o *Options) (Conn, error)
}

// schemes are all that there are, by what addresses call them. It is filled
// when the program starts because some of them use others.
var schemes map[string]*scheme

func init() {
	schemes = map[string]*scheme{
		SchemeUnix:    &unixScheme,
		SchemeTCP:     &tcpScheme,
		SchemeMem:     &memScheme,
		SchemeStdio:   &stdioScheme,
		SchemeExec:    &execScheme,
		SchemeInherit: &inheritScheme,
		SchemeFIFO:    &fifoScheme,
		SchemeMQ:      &mqScheme,
		SchemeTLS:     &tlsScheme,
		SchemeShm:     &shmScheme,
		SchemePipe:    &pipeScheme,
	}
}

// Schemes returns the schemes of addresses, in alphabetical order.
func Schemes() []string { return slices.Sorted(maps.Keys(schemes)) }
