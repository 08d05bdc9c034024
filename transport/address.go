package transport

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// The schemes of addresses.
const (
	SchemeUnix  = "unix"
	SchemeTCP   = "tcp"
	SchemeMem   = "mem"
	SchemeStdio = "stdio"
)

// Address is an address understood and found harmless:
//
//	unix:/run/user/1000/ekko-ipc/db.sock   a Unix socket, by absolute path
//	tcp:127.0.0.1:7000                     a port of this machine
//	mem:name                               within this process
//	stdio:                                 standard input and output
type Address struct {
	Scheme string
	Path   string         // of SchemeUnix
	Host   netip.AddrPort // of SchemeTCP
	Name   string         // of SchemeMem
}

// ParseAddress understands an address, or says why it is refused: the error
// is ErrInvalidAddress or ErrNotLoopback.
func ParseAddress(s string) (Address, error) {
	scheme, rest, ok := strings.Cut(s, ":")
	a := Address{Scheme: scheme}
	var err error
	switch {
	case !ok:
		err = fmt.Errorf("it names no scheme (unix:, tcp:, mem:, stdio:)")
	case scheme == SchemeUnix:
		a.Path, err = parsePath(rest)
	case scheme == SchemeTCP:
		a.Host, err = parseHost(rest)
	case scheme == SchemeMem:
		if a.Name = rest; rest == "" {
			err = fmt.Errorf("it names nothing")
		}
	case scheme == SchemeStdio:
		if rest != "" {
			err = fmt.Errorf("nothing may follow stdio")
		}
	default:
		err = fmt.Errorf("no transport is called %q", scheme)
	}
	if err != nil {
		return Address{}, fmt.Errorf("%w %q: %w", ErrInvalidAddress, s, err)
	}
	return a, nil
}

// String returns the text that ParseAddress understands.
func (a Address) String() string {
	switch a.Scheme {
	case SchemeUnix:
		return a.Scheme + ":" + a.Path
	case SchemeTCP:
		return a.Scheme + ":" + a.Host.String()
	}
	return a.Scheme + ":" + a.Name
}

// MaxPath is the longest path of a Unix socket, in bytes. Systems have room
// for 104 or 108, and some cut off what is longer.
const MaxPath = 100

func parsePath(path string) (string, error) {
	switch {
	case strings.HasPrefix(path, "@") || strings.HasPrefix(path, "\x00"):
		return "", fmt.Errorf("abstract sockets are open to everybody and are not supported")
	case strings.ContainsFunc(path, unicode.IsControl):
		return "", fmt.Errorf("the path holds a control character")
	case !filepath.IsAbs(path):
		return "", fmt.Errorf("the path is not absolute")
	case len(path) > MaxPath:
		return "", fmt.Errorf("the path has %d bytes, which is over the limit of %d for a socket", len(path), MaxPath)
	case strings.HasSuffix(path, "/") || filepath.Clean(path) != path:
		return "", fmt.Errorf("the path is not in its shortest form, %q", filepath.Clean(path))
	}
	return path, nil
}

func parseHost(s string) (netip.AddrPort, error) {
	if port, ok := strings.CutPrefix(s, "localhost:"); ok {
		s = "127.0.0.1:" + port // never ask a resolver where this machine is
	}
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		if i := strings.LastIndexByte(s, ':'); i >= 0 && isPort(s[i+1:]) {
			return a, ErrNotLoopback // a name, or every address there is
		}
		return a, fmt.Errorf("it is not of the form tcp:127.0.0.1:7000")
	}
	if !a.Addr().IsLoopback() {
		return a, ErrNotLoopback
	}
	return a, nil
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}
