//go:build !unix || aix || solaris

package transport

import (
	"fmt"
	"runtime"
)

// Inherited returns nothing: sockets are not passed to programs here.
func Inherited() []string { return nil }

func listenInherited(name string, _ *Options) (Listener, error) {
	return nil, fmt.Errorf("%w: inherited sockets on %s; tcp:127.0.0.1:0 is there", ErrUnsupported, runtime.GOOS)
}
