package registry

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// tlsAddress returns the address of a tcp transport with tls. It may be
// anywhere, as whoever answers there has to prove that it is the service.
func tlsAddress(service string, t *manifest.Transport) (string, error) {
	host, port := strings.TrimPrefix(t.Address, transport.SchemeTLS+":"), strconv.Itoa(t.Port)
	if h, p, err := net.SplitHostPort(host); err == nil && t.Port == 0 {
		host, port = h, p
	}
	if host = strings.Trim(host, "[]"); host == "" {
		host = "127.0.0.1"
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", wire.Errorf(wire.CodeSchemaMismatch, "service %q: a tcp transport needs a port from 1 to 65535", service)
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		return "", refused(service, host, "it stands for every network of a machine, and nobody can be called there; name one address")
	}
	return checked(service, transport.SchemeTLS+":"+net.JoinHostPort(host, port))
}

// ServerTLS returns how m, which may be nil, wants the service to be secured
// at an address, filling what own leaves open. Files that m names lie beside
// it. The result is nil where neither says anything.
func ServerTLS(m *manifest.Manifest, address string, own *transport.TLSOptions) *transport.TLSOptions {
	says := securityOf(m, address)
	if says == nil {
		return own
	}
	o := copyOf(own)
	if o.CertFile == "" && o.KeyFile == "" {
		o.CertFile, o.KeyFile = beside(m, says.Cert), beside(m, says.Key)
	}
	if o.ClientCert = o.ClientCert || says.ClientCert; o.ClientCert && o.CAFile == "" {
		o.CAFile = beside(m, says.CA)
	}
	return o
}

// The environment variables of who dials by TLS: what is in them comes after
// what the program says, and before what the manifest does.
const (
	EnvTLSCA   = "EKKO_IPC_TLS_CA"
	EnvTLSCert = "EKKO_IPC_TLS_CERT"
	EnvTLSKey  = "EKKO_IPC_TLS_KEY"
)

// ClientTLS is ServerTLS for the side that dials. The certificate in the
// manifest is the service's: a client's own is never taken from there, but
// from the environment.
func ClientTLS(m *manifest.Manifest, address string, own *transport.TLSOptions) *transport.TLSOptions {
	if !isTLS(address) {
		return own
	}
	o := copyOf(own)
	if o.CertFile == "" && o.KeyFile == "" {
		o.CertFile, o.KeyFile = os.Getenv(EnvTLSCert), os.Getenv(EnvTLSKey)
	}
	if o.CAFile == "" {
		o.CAFile = os.Getenv(EnvTLSCA)
	}
	if says := securityOf(m, address); says != nil {
		if o.CAFile == "" {
			o.CAFile = beside(m, says.CA)
		}
		if o.ServerName == "" {
			o.ServerName = says.ServerName
		}
	}
	return o
}

func isTLS(address string) bool { return strings.HasPrefix(address, transport.SchemeTLS+":") }

func copyOf(o *transport.TLSOptions) *transport.TLSOptions {
	own := transport.TLSOptions{}
	if o != nil {
		own = *o
	}
	return &own
}

// securityOf returns what m says about tls at an address: of the transport
// that has it, or else of the first that says anything.
func securityOf(m *manifest.Manifest, address string) (first *manifest.TLS) {
	if m == nil || !isTLS(address) {
		return nil
	}
	for _, t := range append([]manifest.Transport{m.Service.Transport}, m.Service.Transport.Fallback...) {
		if t.TLS == nil {
			continue
		}
		if at, err := TransportAddress(m.Service.Name, &t); err == nil && at == address {
			return t.TLS
		}
		if first == nil {
			first = t.TLS
		}
	}
	return first
}

// beside returns the path of a file that m names.
func beside(m *manifest.Manifest, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(m.Path), filepath.FromSlash(path))
}
