// Package auth says who speaks, and what he may do.
//
// It believes the kernel, and the authorities that the operator has named for
// TLS. Nothing else that a peer sends, its socket's path included, ever becomes
// a part of a [Caller]; and where nobody says, there is no caller rather than
// some default one.
package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ekkojs/ipc/transport"
)

// ErrUnidentified means that the kernel gave a user who cannot be told from
// others. Such a peer is to be granted nothing and turned away.
var ErrUnidentified = errors.New("auth: the peer cannot be identified")

// Caller is the process that a message comes from. Rights are given to users
// and groups, and to roles derived from them. The process's number and its
// program are for people to read: they do not hold anything back, since a
// process of the same user can make itself look like any other.
//
// The zero Caller is somebody unknown.
type Caller struct {
	// Known is false where the transport has no credentials to give, as over
	// TCP: UID and GID are then meaningless, not root's.
	Known bool
	UID   uint32   // 4294967295, nobody's, where users have a SID instead
	GID   uint32   // likewise
	SID   string   // on Windows, such as "S-1-5-21-…-1001"; else empty
	PID   int32    // zero if the kernel does not say; for display
	Roles []string // given by this side's policy, never by the caller

	// Certificate is whom the caller has proven to be by mutual TLS; nil over
	// any other transport, and where no certificate was demanded. Its
	// Principal is the name to give rights to.
	Certificate *transport.CertificateIdentity

	peer transport.Peer // where the process is to be found
}

// The user numbers that stand for nobody in particular.
const (
	noUID       = transport.NoUID
	overflowUID = 65534 // unless the system says otherwise
)

// FromPeer returns the caller at the other end of a connection. A transport
// without credentials of the kernel gives a Caller that is not Known and no
// error; one whose credentials name nobody is ErrUnidentified.
func FromPeer(p transport.Peer) (Caller, error) {
	switch {
	case !p.Known:
		return Caller{Certificate: p.Certificate}, nil
	case p.SID != "":
		return Caller{Known: true, UID: noUID, GID: noUID, SID: p.SID, PID: p.PID, peer: p}, nil
	case p.UID == noUID:
		return Caller{}, fmt.Errorf("%w: the kernel names no user", ErrUnidentified)
	case p.UID == overflowUID || p.Overflow():
		return Caller{}, fmt.Errorf("%w: user %d stands for every user without a number here", ErrUnidentified, p.UID)
	}
	return Caller{Known: true, UID: p.UID, GID: p.GID, PID: p.PID, peer: p}, nil
}

// HasRole reports whether the caller has the role.
func (c Caller) HasRole(role string) bool { return slices.Contains(c.Roles, role) }

// Exe returns the path of the program that the caller runs, and the empty
// string if it is not to be had: the connection is closed, the process has
// ended, or the system does not say. It asks anew each time. It is for
// display only and proves nothing.
func (c Caller) Exe() string {
	if !c.Known || c.PID <= 0 {
		return ""
	}
	return exeOf(c.peer)
}

// String describes the caller to people: "uid 1000, gid 1000, pid 4321,
// roles admin reader".
func (c Caller) String() string {
	var b strings.Builder
	switch {
	case c.Certificate != nil && !c.Known:
		fmt.Fprintf(&b, "certificate %q", c.Certificate.Principal())
	case !c.Known:
		b.WriteString("unknown user")
	case c.SID != "":
		fmt.Fprintf(&b, "sid %s", c.SID)
	default:
		fmt.Fprintf(&b, "uid %d, gid %d", c.UID, c.GID)
	}
	if c.Known && c.PID > 0 {
		fmt.Fprintf(&b, ", pid %d", c.PID)
	}
	if len(c.Roles) > 0 {
		fmt.Fprintf(&b, ", roles %s", strings.Join(c.Roles, " "))
	}
	return b.String()
}
