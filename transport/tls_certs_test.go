package transport_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
)

// certified is a certificate with its key and those above it.
type certified struct {
	cert  *x509.Certificate
	key   crypto.Signer
	chain []*x509.Certificate // from this one up, without the root
}

var serials atomic.Int64

// issue makes a certificate signed by an issuer, or by itself. The usual one is
// for a service on this machine; change makes it another.
func issue(t testing.TB, by *certified, change func(*x509.Certificate)) *certified {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return issueFor(t, key, by, change)
}

func issueFor(t testing.TB, key crypto.Signer, by *certified, change func(*x509.Certificate)) *certified {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serials.Add(1)),
		Subject:      pkix.Name{CommonName: "test"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	var above []*x509.Certificate
	if by != nil {
		parent, signer, above = by.cert, by.key, by.chain
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	c := &certified{cert: cert, key: key}
	if by != nil {
		c.chain = append([]*x509.Certificate{cert}, above...)
	} else if !cert.IsCA {
		c.chain = []*x509.Certificate{cert}
	}
	return c
}

func authority(c *x509.Certificate) {
	c.Subject.CommonName = "test authority"
	c.IsCA, c.BasicConstraintsValid = true, true
	c.KeyUsage = x509.KeyUsageCertSign
	c.ExtKeyUsage, c.DNSNames, c.IPAddresses = nil, nil, nil
}

func forClients(c *x509.Certificate) {
	c.Subject.CommonName = "client"
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	c.DNSNames, c.IPAddresses = []string{"client.example"}, nil
}

func certPEM(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return b.Bytes()
}

func keyPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// replace writes a file as careful programs do.
func replace(t testing.TB, path string, text []byte) {
	t.Helper()
	must(t, os.WriteFile(path+"~", text, 0o600))
	must(t, os.Rename(path+"~", path))
}

// files are the paths of what a test writes.
type files struct{ dir string }

func newFiles(t testing.TB) files { return files{t.TempDir()} }

func (f files) path(name string) string { return filepath.Join(f.dir, name) }

// put writes name.pem and name.key.
func (f files) put(t testing.TB, name string, c *certified) (cert, key string) {
	t.Helper()
	cert, key = f.path(name+".pem"), f.path(name+".key")
	replace(t, cert, certPEM(c.chain...))
	replace(t, key, keyPEM(t, c.key))
	return cert, key
}

// putAuthorities writes a file of authorities.
func (f files) putAuthorities(t testing.TB, name string, of ...*certified) string {
	t.Helper()
	path := f.path(name + ".pem")
	var text []byte
	for _, c := range of {
		text = append(text, certPEM(c.cert)...)
	}
	replace(t, path, text)
	return path
}

// world is an authority, a service and a client that get along.
type world struct {
	files
	root           *certified
	server, client *transport.TLSOptions
}

func newWorld(t testing.TB, mutual bool) *world {
	t.Helper()
	w := &world{files: newFiles(t), root: issue(t, nil, authority)}
	ca := w.putAuthorities(t, "ca", w.root)
	w.server, w.client = &transport.TLSOptions{}, &transport.TLSOptions{CAFile: ca}
	w.server.CertFile, w.server.KeyFile = w.put(t, "server", issue(t, w.root, nil))
	if mutual {
		w.server.ClientCert, w.server.CAFile = true, ca
		w.client.CertFile, w.client.KeyFile = w.put(t, "client", issue(t, w.root, forClients))
	}
	return w
}

// with adds TLS to options.
func with(o *transport.Options, t *transport.TLSOptions) *transport.Options {
	if o == nil {
		o = &transport.Options{}
	}
	own := *o
	own.TLS = t
	return &own
}

// unknownExtension is one that whoever does not know it must not pass over.
var unknownExtension = pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}
