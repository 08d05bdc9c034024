package manifest

import "time"

// Service says who a service is and where it listens.
type Service struct {
	Name        string
	Version     string
	Description string
	Tags        []string
	Transport   Transport
	// Instances are further places where the same service answers, beside
	// Transport; a caller may spread its calls over all of them.
	Instances []Instance
	// Weight is this entry's share when several entries answer to one name:
	// 1 when the manifest says nothing.
	Weight int
	// Activation says how to start the service; nil when it starts itself.
	// It is honoured only for a manifest in a directory that [CheckDir]
	// accepts: whoever may write there may name a program to run.
	Activation *Activation
}

// TransportType names a way for frames to travel.
type TransportType string

// The transport types. TransportAuto, also what an absent type means, leaves
// the choice to the platform.
const (
	TransportAuto         TransportType = "auto"
	TransportUnix         TransportType = "unix"
	TransportNamedPipe    TransportType = "namedpipe" // a Windows pipe; elsewhere a Unix socket of that name
	TransportFIFO         TransportType = "fifo"      // a pair of filesystem pipes
	TransportTCP          TransportType = "tcp"
	TransportMessageQueue TransportType = "messagequeue"
	TransportShm          TransportType = "shm"
	TransportStdio        TransportType = "stdio"
)

// Transport says where a service listens.
type Transport struct {
	Type TransportType // never empty
	// Address is a bare name inside the runtime directory, an absolute path,
	// or for TransportTCP a host. Empty means: the service's name, and for
	// TransportTCP the loopback address.
	Address string
	// Port is 0 where there is none (port: null).
	Port int
	// Timeout bounds the making of a connection; 0 means the caller's default.
	Timeout time.Duration
	// MaxConnections is 0 for the server's default.
	MaxConnections int
	// TLS is nil for plain connections.
	TLS *TLS
	// Fallback is what to try, in this order, when the above does not answer.
	// A fallback has no fallback of its own.
	Fallback []Transport
}

// TLS names the files that secure a TCP transport. Relative paths are relative
// to the manifest's directory.
type TLS struct {
	CA         string // certificates trusted by the other side's reader
	Cert       string
	Key        string
	ServerName string // the name expected in the certificate; empty: the host
	ClientCert bool   // the service demands a certificate of its callers
}

// Instance is one more place where a service answers.
type Instance struct {
	Transport Transport
	Weight    int // its share of the calls, at least 1
}

// Activation says how to start a service that is not running.
type Activation struct {
	Command string
	Args    []string
	Env     map[string]string
	Cwd     string // empty: the manifest's directory
	// IdleTimeout is how long an unused service is kept; 0 means for ever.
	IdleTimeout time.Duration
}
