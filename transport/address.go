package transport

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"unicode"
)

// The schemes of addresses.
const (
	SchemeUnix    = "unix"
	SchemeTCP     = "tcp"
	SchemeMem     = "mem"
	SchemeStdio   = "stdio"
	SchemeExec    = "exec"
	SchemeInherit = "inherit"
	SchemeFIFO    = "fifo"
	SchemeMQ      = "mq"
	SchemeTLS     = "tls"
	SchemeShm     = "shm"
	SchemePipe    = "pipe"
)

// Address is an address understood and found harmless:
//
//	unix:/run/user/1000/ekko-ipc/db.sock   a Unix socket, by absolute path
//	fifo:/run/user/1000/ekko-ipc/db.fifo   pairs of FIFOs, by the path that clients knock at
//	mq:name                                POSIX message queues of this user
//	shm:/run/user/1000/ekko-ipc/db.shm     shared memory, handed out over that Unix socket (Linux)
//	pipe:name                              a Windows pipe, \\.\pipe\name
//	tcp:127.0.0.1:7000                     a port of this machine
//	tls:example.com:7000                   a port of any machine, by TLS
//	mem:name                               within this process
//	stdio:                                 standard input and output
//	exec:program argument                  those of a program that Dial starts; no
//	                                       shell reads it, exec:["program","an argument"]
//	                                       has arguments with spaces
//	inherit:name                           a socket that the process was started with
type Address struct {
	Scheme  string
	Path    string         // of SchemeUnix, SchemeShm and SchemeFIFO
	Host    netip.AddrPort // of SchemeTCP
	Name    string         // of SchemeMem, SchemeMQ, SchemePipe and SchemeInherit
	Command string         // of SchemeExec

	Authority string // of SchemeTLS: host, by name or number, and port
}

// ParseAddress understands an address, or says why it is refused: the error
// is ErrInvalidAddress or ErrNotLoopback.
func ParseAddress(s string) (Address, error) {
	name, rest, ok := strings.Cut(s, ":")
	var err error
	switch way := schemes[name]; {
	case !ok:
		err = fmt.Errorf("it names no scheme (%s:)", strings.Join(Schemes(), ":, "))
	case way == nil:
		err = fmt.Errorf("no transport is called %q", name)
	default:
		a := Address{Scheme: name}
		if err = way.parse(rest, &a); err == nil {
			return a, nil
		}
	}
	return Address{}, fmt.Errorf("%w %q: %w", ErrInvalidAddress, s, err)
}

// ParseAddress is the function ParseAddress where InsecureTCP may be set.
func (o *Options) ParseAddress(s string) (Address, error) {
	a, err := ParseAddress(s)
	if err != nil && o != nil && o.InsecureTCP && errors.Is(err, ErrNotLoopback) {
		return insecure(s)
	}
	return a, err
}

// String returns the text that ParseAddress understands.
func (a Address) String() string {
	way := schemes[a.Scheme]
	if way == nil {
		return ""
	}
	return a.Scheme + ":" + way.text(&a)
}

// MaxPath is the longest path of a Unix socket, in bytes. Systems have room
// for 104 or 108, and some cut off what is longer.
const MaxPath = 100

var unixScheme = scheme{
	parse: func(rest string, a *Address) (err error) {
		a.Path, err = parsePath(rest)
		return err
	},
	text:   func(a *Address) string { return a.Path },
	listen: func(ctx context.Context, a *Address, o *Options) (Listener, error) { return listenUnix(ctx, a.Path, o) },
	dial:   func(ctx context.Context, a *Address, o *Options) (Conn, error) { return dialUnix(ctx, a.Path, o) },
}

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
