// Package devcert makes certificates to try TLS with, in a minute and without
// any other program.
//
// One authority, whose key is forgotten at once, vouches for one service and
// for some clients: whoever finds the files later can be one of those, but
// cannot make up others. For more, make all of them anew.
package devcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Options says for whom certificates are made. A nil *Options means the
// defaults.
type Options struct {
	// Hosts are the names and numbers under which the service is called.
	// Default localhost, 127.0.0.1 and ::1.
	Hosts []string

	// Clients are the names of those who may call, and of their files.
	// Default "client".
	Clients []string

	// Life is how long the certificates count. Default 90 days.
	Life time.Duration
}

func (o *Options) hosts() []string {
	if o == nil || len(o.Hosts) == 0 {
		return []string{"localhost", "127.0.0.1", "::1"}
	}
	return o.Hosts
}

func (o *Options) clients() []string {
	if o == nil || len(o.Clients) == 0 {
		return []string{"client"}
	}
	return o.Clients
}

func (o *Options) life() time.Duration {
	if o == nil || o.Life <= 0 {
		return 90 * 24 * time.Hour
	}
	return o.Life
}

// Write puts ca.pem, server.pem with server.key, and a NAME.pem with NAME.key
// for each client into dir, which it makes if need be, and returns their
// paths. If one of them is there already it does nothing but return an error
// that is fs.ErrExist.
func Write(dir string, o *Options) (paths []string, err error) {
	m, err := newMaker(o.life())
	if err != nil {
		return nil, err
	}
	all := []file{{"ca.pem", certificateText(m.authority.Raw)}}
	server, err := m.issue("server", x509.ExtKeyUsageServerAuth, o.hosts())
	if err != nil {
		return nil, err
	}
	all = append(all, server...)
	for _, name := range o.clients() {
		if filepath.Base(name) != name || name == "." || name == ".." || name == "ca" || name == "server" {
			return nil, fmt.Errorf("%q is no name for a client: it becomes that of a file, beside ca and server", name)
		}
		client, err := m.issue(name, x509.ExtKeyUsageClientAuth, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, client...)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return place(dir, all)
}

// file is a name and what is to be in it.
type file struct {
	name string
	text []byte
}

func place(dir string, all []file) (paths []string, err error) {
	for _, f := range all {
		path := filepath.Join(dir, f.name)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(&fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}, err)
		}
		paths = append(paths, path)
	}
	for i, f := range all {
		if err := create(paths[i], f.text); err != nil {
			for _, made := range paths[:i] {
				os.Remove(made)
			}
			return nil, err
		}
	}
	return paths, nil
}

// create leaves nothing behind if it fails, and never follows a link.
func create(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(path)
	}
	return err
}

// maker is an authority and its key, as long as it is needed.
type maker struct {
	authority *x509.Certificate
	key       *ecdsa.PrivateKey
	until     time.Time
}

func newMaker(life time.Duration) (*maker, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	m := &maker{key: key, until: time.Now().Add(life)}
	template, err := m.template("EkkoJS IPC development authority")
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	m.authority, err = x509.ParseCertificate(der)
	return m, err
}

func (m *maker) template(name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour), // clocks differ
		NotAfter:     m.until,
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}, err
}

// issue returns a certificate and its key.
func (m *maker) issue(name string, usage x509.ExtKeyUsage, hosts []string) ([]file, error) {
	template, err := m.template(name)
	if err != nil {
		return nil, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{usage}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, m.authority, key.Public(), m.key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return []file{
		{name + ".pem", certificateText(der)},
		{name + ".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})},
	}, nil
}

func certificateText(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
