package transport

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// maxPEM bounds a file of certificates: those of all public authorities
// together have a fifth of it.
const maxPEM = 1 << 20

// credentials are what the files of a listener say, now.
//
// A new certificate comes in two files that are never replaced at the same
// moment, and sometimes it is the wrong one. What cannot be used changes
// nothing: the last good ones stay, and the operator is told.
type credentials struct {
	options *TLSOptions
	tell    func(error)

	mu     sync.Mutex // guards all below
	looked time.Time
	seen   []os.FileInfo // of the files when they were last read
	config *tls.Config   // of the last good ones
	told   string        // what the operator knows is wrong; "" for nothing
}

// newCredentials reads the files of a listener.
func newCredentials(o *TLSOptions, tell func(error)) (*credentials, error) {
	c := &credentials{options: o, tell: tell}
	if o.ClientCert && o.CAFile == "" {
		return nil, tlsErrorf(TLSMissing, nil, "clients are to show a certificate (ClientCert), and nobody is trusted to vouch for it: set CAFile")
	}
	var err error
	if c.seen, err = c.stat(); err != nil {
		return nil, err
	}
	if c.config, err = o.serverConfig(); err != nil {
		return nil, err
	}
	c.looked = time.Now()
	return c, nil
}

// current returns what a handshake that begins now goes by.
func (c *credentials) current() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.looked) < c.options.reloadInterval() {
		return c.config
	}
	c.looked = now
	seen, err := c.stat()
	if err == nil && c.told == "" && sameFiles(seen, c.seen) {
		return c.config
	}
	var config *tls.Config
	if err == nil {
		config, err = c.options.serverConfig()
	}
	if err != nil {
		if c.told != err.Error() {
			c.told = err.Error()
			c.tell(fmt.Errorf("%w; the certificate read before stays in use", err))
		}
		return c.config
	}
	c.config, c.seen, c.told = config, seen, ""
	return c.config
}

func (c *credentials) stat() (seen []os.FileInfo, err error) {
	for _, path := range []string{c.options.CertFile, c.options.KeyFile, c.options.CAFile} {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, tlsErrorf(TLSFile, bareCause(err), "%s cannot be read", path)
		}
		seen = append(seen, info)
	}
	return seen, nil
}

func sameFiles(a, b []os.FileInfo) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || !a[i].ModTime().Equal(b[i].ModTime()) {
			return false
		}
	}
	return true
}

// serverConfig reads the files of a listener and judges them.
func (o *TLSOptions) serverConfig() (*tls.Config, error) {
	cert, err := o.certificate(serverRole)
	if err != nil {
		return nil, err
	}
	config := baseConfig(o)
	config.Certificates = []tls.Certificate{*cert}
	if !o.ClientCert {
		config.SessionTicketsDisabled = true
		return config, nil
	}
	if config.ClientCAs, err = readAuthorities(o.CAFile); err != nil {
		return nil, err
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.WrapSession = func(tls.ConnectionState, *tls.SessionState) ([]byte, error) { return admitted, nil }
	config.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, nil }
	return config, nil
}

// admitted is the ticket by which a listener tells a client that its
// certificate was accepted, which TLS 1.3 has no other word for. Nothing is
// ever resumed by it: each client is judged anew, by the authorities of the
// moment.
var admitted = []byte{1}

// clientConfig reads the files of who dials and judges them. host is that of
// the address.
func (o *TLSOptions) clientConfig(host string) (config *tls.Config, err error) {
	if o == nil {
		o = &TLSOptions{}
	}
	config = baseConfig(o)
	if config.ServerName = o.ServerName; config.ServerName == "" {
		config.ServerName = host
	}
	if o.CAFile != "" {
		if config.RootCAs, err = readAuthorities(o.CAFile); err != nil {
			return nil, err
		}
	}
	if o.CertFile != "" || o.KeyFile != "" {
		cert, err := o.certificate(clientRole)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{*cert}
	}
	return config, nil
}

func baseConfig(o *TLSOptions) *tls.Config {
	config := &tls.Config{
		MinVersion:                  tls.VersionTLS13,
		DynamicRecordSizingDisabled: true, // frames are whole before they are written
		VerifyConnection:            func(s tls.ConnectionState) error { return judgeChains(s.VerifiedChains) },
	}
	if o.AllowTLS12 {
		config.MinVersion = tls.VersionTLS12
	}
	return config
}

// role is what a certificate is for.
type role struct {
	name  string
	usage x509.ExtKeyUsage
	word  string // the usage, as certificate tools call it
}

var (
	serverRole = role{"service", x509.ExtKeyUsageServerAuth, "serverAuth"}
	clientRole = role{"client", x509.ExtKeyUsageClientAuth, "clientAuth"}
)

// certificate reads this side's certificate and key. Whatever the other side
// would refuse about it for certain is said here, where the file is known.
func (o *TLSOptions) certificate(as role) (*tls.Certificate, error) {
	switch {
	case o.CertFile == "":
		return nil, tlsErrorf(TLSMissing, nil, "the %s has no certificate: set CertFile, beside KeyFile", as.name)
	case o.KeyFile == "":
		return nil, tlsErrorf(TLSMissing, nil, "the certificate %s has no private key: set KeyFile", o.CertFile)
	}
	chain, err := readPEM(o.CertFile, false)
	if err != nil {
		return nil, err
	}
	key, err := readPEM(o.KeyFile, true)
	if err != nil {
		return nil, err
	}
	certs, err := parseCertificates(o.CertFile, chain)
	if err != nil {
		return nil, err
	}
	if err := judgeOwn(o.CertFile, certs, as); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(chain, key)
	switch {
	case err != nil && strings.Contains(err.Error(), "does not match"):
		return nil, tlsErrorf(TLSKey, nil, "the private key in %s is not that of the certificate in %s: the two have to come from the same request", o.KeyFile, o.CertFile)
	case err != nil:
		return nil, tlsErrorf(TLSMalformed, err, "%s is no private key for %s: it has to hold one PEM block of a key that is not encrypted", o.KeyFile, o.CertFile)
	}
	pair.Leaf = certs[0]
	return &pair, nil
}

func readAuthorities(path string) (*x509.CertPool, error) {
	text, err := readPEM(path, false)
	if err != nil {
		return nil, err
	}
	certs, err := parseCertificates(path, text)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool, nil
}

// parseCertificates returns all certificates of a file, at least one.
func parseCertificates(path string, text []byte) (certs []*x509.Certificate, err error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, tlsErrorf(TLSMalformed, err, "certificate %d in %s cannot be understood: it was cut off or changed; issue it again", len(certs)+1, path)
		}
		certs = append(certs, c)
	}
	if rest := bytes.TrimSpace(text); bytes.Contains(rest, []byte("-----BEGIN CERTIFICATE-----")) {
		return nil, tlsErrorf(TLSMalformed, nil, "certificate %d in %s is not whole: the file was cut off; copy it again", len(certs)+1, path)
	}
	if len(certs) == 0 {
		return nil, tlsErrorf(TLSMalformed, nil, "%s holds no certificate: it has to be PEM, with -----BEGIN CERTIFICATE----- (openssl x509 -inform der makes that of DER)", path)
	}
	return certs, nil
}

// readPEM reads a file that nobody else could have written, or read if it is
// secret.
func readPEM(path string, secret bool) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, tlsErrorf(TLSFile, bareCause(err), "%s cannot be read", path)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, tlsErrorf(TLSFile, bareCause(err), "%s cannot be read", path)
	}
	mode := info.Mode()
	switch {
	case !mode.IsRegular():
		return nil, tlsErrorf(TLSFile, nil, "%s is not a regular file", path)
	case runtime.GOOS == "windows": // where the directory's access control list decides
	case mode.Perm()&0o022 != 0:
		return nil, tlsErrorf(TLSFile, nil, "%s may be written by other users (its mode is %04o): chmod go-w %[1]s", path, mode.Perm())
	case secret && mode.Perm()&0o007 != 0:
		return nil, tlsErrorf(TLSFile, nil, "the private key %s may be read by everybody (its mode is %04o): chmod 600 %[1]s, and replace the key if others use this machine", path, mode.Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	switch {
	case err != nil:
		return nil, tlsErrorf(TLSFile, bareCause(err), "%s cannot be read", path)
	case len(text) > maxPEM:
		return nil, tlsErrorf(TLSFile, nil, "%s has more than the %d bytes that certificates may have", path, maxPEM)
	}
	return text, nil
}

// bareCause takes the path off an error that names it already.
func bareCause(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	return err
}
