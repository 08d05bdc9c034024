package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
)

// The reasons for which Listen, Dial and Accept fail, to be asked for with
// errors.Is. A socket that is not there is fs.ErrNotExist, a closed
// connection or listener net.ErrClosed, a write that took too long
// os.ErrDeadlineExceeded.
var (
	// ErrInvalidAddress is an address that cannot be understood, or that is
	// refused whatever the machine looks like: too long, abstract, relative.
	ErrInvalidAddress = errors.New("transport: invalid address")

	// ErrAddressInUse means that a living process serves the address.
	ErrAddressInUse = errors.New("transport: address in use")

	// ErrRefused means that the address exists and nobody serves it.
	ErrRefused = errors.New("transport: nobody is listening")

	// ErrUntrustedPath means that the file system does not protect the
	// address: another user could put a socket of its own there.
	ErrUntrustedPath = errors.New("transport: untrusted path")

	// ErrUntrustedPeer means that the process at the other end runs as a
	// user whom Options.TrustUID does not accept, or that the kernel did not
	// say as whom it runs.
	ErrUntrustedPeer = errors.New("transport: untrusted peer")

	// ErrNotLoopback means that a TCP address can be reached from other
	// machines, where bytes and peers would be unprotected.
	ErrNotLoopback = errors.New("transport: plain tcp is for loopback addresses only: use tls:HOST:PORT, which protects what it carries")

	// ErrFrameTimeout means that the peer began a frame and did not send the
	// rest of it. The connection cannot be read any further.
	ErrFrameTimeout = errors.New("transport: frame not complete")

	// ErrUnsupported means that this platform lacks the transport.
	ErrUnsupported = errors.New("transport: not supported on this platform")
)

// FrameError is a frame longer than the receiver accepts. The connection
// cannot be read any further, since the frame's end is not looked for.
type FrameError struct {
	Limit  int   // the longest frame accepted, in bytes
	Actual int64 // the length announced; of a line, the bytes seen so far
}

func (e *FrameError) Error() string {
	return fmt.Sprintf("transport: frame of %d bytes is over the limit of %d", e.Actual, e.Limit)
}

// closedAs gives the one error for a closed connection to the several that
// the standard library has.
func closedAs(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return net.ErrClosed
	}
	return err
}
