//go:build unix && !linux

package transport

import "net"

// newQuiet: other systems' sockets are as quiet as they get.
func newQuiet(*net.UnixConn) *polled { return nil }

// askable: other systems have no process descriptors.
func (s *polled) askable() pidfdSource { return nil }
