package transport_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
)

// badCertificate is one that nobody may accept. usual makes the template into
// one for the side that is to show it.
type badCertificate struct {
	name   string
	make   func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified
	reason transport.TLSReason
	says   string // in the error
}

// both does one change after another.
func both(changes ...func(*x509.Certificate)) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, change := range changes {
			if change != nil {
				change(c)
			}
		}
	}
}

// changed is a bad certificate that differs from a good one by a field.
func changed(change func(*x509.Certificate)) func(*testing.T, *certified, func(*x509.Certificate)) *certified {
	return func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		return issue(t, root, both(usual, change))
	}
}

// through is a good certificate issued by an authority that is not.
func through(change func(*x509.Certificate)) func(*testing.T, *certified, func(*x509.Certificate)) *certified {
	return func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		between := issue(t, root, both(authority, func(c *x509.Certificate) { c.Subject.CommonName = "between" }, change))
		return issue(t, between, usual)
	}
}

func weakRSA(t *testing.T, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	must(t, err)
	return key
}

func p224(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	return key
}

// foreign is an authority that nobody trusts.
func foreign(t *testing.T) *certified { return issue(t, nil, authority) }

var badCertificates = []badCertificate{
	{"expired", changed(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), transport.TLSExpired, "has expired on"},
	{"expired long ago", changed(func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Unix(1, 0), time.Unix(1e9, 0)
	}), transport.TLSExpired, "2001-09-09"},
	{"not yet valid", changed(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), transport.TLSNotYetValid, "clock"},
	{"another authority", func(t *testing.T, _ *certified, usual func(*x509.Certificate)) *certified {
		return issue(t, foreign(t), both(usual))
	}, transport.TLSUnknownAuthority, "ca.pem"},
	{"an authority of the same name", func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		return issue(t, issue(t, nil, both(authority, func(c *x509.Certificate) {
			c.Subject, c.SubjectKeyId = root.cert.Subject, root.cert.SubjectKeyId
		})), usual)
	}, transport.TLSUnknownAuthority, "ca.pem"},
	{"signed by itself", func(t *testing.T, _ *certified, usual func(*x509.Certificate)) *certified {
		return issue(t, nil, usual)
	}, transport.TLSUnknownAuthority, "signed by itself"},
	{"an authority that signed itself", func(t *testing.T, _ *certified, usual func(*x509.Certificate)) *certified {
		c := issue(t, nil, both(usual, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }))
		c.chain = []*x509.Certificate{c.cert}
		return c
	}, transport.TLSUnknownAuthority, "signed by itself"},
	{"for code", changed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }), transport.TLSUsage, "extended key usage"},
	{"for e-mail", changed(func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	}), transport.TLSUsage, "extended key usage"},
	{"for the other side", changed(func(c *x509.Certificate) {
		if c.ExtKeyUsage[0] == x509.ExtKeyUsageServerAuth {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		} else {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}
	}), transport.TLSUsage, "extended key usage"},
	{"by an authority for another usage", through(func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	}), transport.TLSUsage, "extended key usage"},
	{"by none that is an authority", through(func(c *x509.Certificate) { c.IsCA = false }), transport.TLSAuthority, "no authority"},
	{"by an authority without the word", through(func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = false, false
	}), transport.TLSAuthority, "no authority"},
	{"by one that may not sign", through(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), transport.TLSAuthority, "no authority"},
	{"through an expired authority", through(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), transport.TLSExpired, "the authority"},
	{"through an authority of tomorrow", through(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), transport.TLSNotYetValid, "the authority"},
	{"through too many", func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		a := issue(t, root, both(authority, func(c *x509.Certificate) { c.Subject.CommonName, c.MaxPathLenZero = "a", true }))
		b := issue(t, a, both(authority, func(c *x509.Certificate) { c.Subject.CommonName = "b" }))
		return issue(t, b, usual)
	}, transport.TLSAuthority, "pathlen"},
	{"outside of the names allowed", through(func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"elsewhere.example"}
	}), transport.TLSAuthority, "nameConstraints"},
	{"among the names forbidden", through(func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.ExcludedDNSDomains = true, []string{"localhost", "client.example"}
	}), transport.TLSAuthority, "nameConstraints"},
	{"the one in between is missing", func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		c := through(nil)(t, root, usual)
		c.chain = c.chain[:1]
		return c
	}, transport.TLSUnknownAuthority, "in between"},
	{"an RSA key of 1,024 bits", func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		return issueFor(t, weakRSA(t, 1024), root, usual)
	}, transport.TLSWeak, "2048"},
	{"through an authority on a curve of 224 bits", func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		between := issueFor(t, p224(t), root, both(authority, func(c *x509.Certificate) { c.Subject.CommonName = "weak" }))
		return issue(t, between, usual)
	}, transport.TLSWeak, "256"},
	{"through an authority of 1,024 bits", func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		between := issueFor(t, weakRSA(t, 1024), root, both(authority, func(c *x509.Certificate) { c.Subject.CommonName = "weak" }))
		return issue(t, between, usual)
	}, transport.TLSWeak, "2048"},
	{"signed by SHA-1", func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		return issue(t, root, both(usual, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }))
	}, transport.TLSWeak, "SHA-256"},
	{"an extension that must be understood", changed(func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, unknownExtension)
	}), transport.TLSBroken, "unhandled critical extension"},
	{"another's private key", func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		c := issue(t, root, usual)
		c.key = foreign(t).key
		return c
	}, transport.TLSKey, "private key"},
	{"cut off", func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		c := issue(t, root, usual)
		whole := *c.cert
		whole.Raw = whole.Raw[:len(whole.Raw)-20]
		c.chain = []*x509.Certificate{&whole}
		return c
	}, transport.TLSMalformed, "cannot be understood"},
	{"changed after it was signed", func(t *testing.T, root *certified, usual func(*x509.Certificate)) *certified {
		c := issue(t, root, both(usual, func(c *x509.Certificate) { c.Subject.CommonName = "aaaa" }))
		forged := *c.cert
		forged.Raw = []byte(strings.Replace(string(forged.Raw), "aaaa", "root", 1))
		c.chain = []*x509.Certificate{&forged}
		return c
	}, transport.TLSUnknownAuthority, "ca.pem"},
}

// badNames are certificates that are wrong for a service only, where who
// dials knows whom it wants.
var badNames = []badCertificate{
	{"another host's name", changed(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"other.example"}, nil }), transport.TLSName, "other.example"},
	{"another host's number", changed(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(127, 0, 0, 2)} }), transport.TLSName, "127.0.0.2"},
	{"the name where the number is needed", changed(func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = []string{"127.0.0.1", "localhost"}, nil
	}), transport.TLSName, "subjectAltName"},
	{"a common name only", changed(func(c *x509.Certificate) {
		c.Subject.CommonName, c.DNSNames, c.IPAddresses = "127.0.0.1", nil, nil
	}), transport.TLSName, "common name"},
	{"an asterisk for everything", changed(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"*"}, nil }), transport.TLSName, "subjectAltName"},
	{"names that are URIs", changed(func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses, c.URIs = nil, nil, []*url.URL{{Scheme: "https", Host: "127.0.0.1"}}
	}), transport.TLSName, "subjectAltName"},
}

// expectTLS checks that err is of that reason and says so much.
func expectTLS(t *testing.T, err error, reason transport.TLSReason, says ...string) {
	t.Helper()
	e, ok := errors.AsType[*transport.TLSError](err)
	if !ok || !errors.Is(err, transport.ErrTLS) || e.Reason != reason {
		t.Errorf("got %v, want a TLS error because of %q", err, reason)
		return
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, which does not say %q", err, part)
		}
	}
}

func (c *certified) pair() tls.Certificate {
	pair := tls.Certificate{PrivateKey: c.key}
	for _, one := range c.chain {
		pair.Certificate = append(pair.Certificate, one.Raw)
	}
	return pair
}

// impostor serves TLS with a certificate that it should not have.
func impostor(t *testing.T, config *tls.Config) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			tls.Server(c, config).Handshake()
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return "tls:" + l.Addr().String()
}

func TestN07_BadServicesAreRefused(t *testing.T) {
	w := newWorld(t, false)
	for _, bad := range slices.Concat(badCertificates, badNames) {
		t.Run(bad.name, func(t *testing.T) {
			c := bad.make(t, w.root, nil)
			address := impostor(t, &tls.Config{Certificates: []tls.Certificate{c.pair()}})
			conn, err := transport.Dial(t.Context(), address, with(nil, w.client))
			if err == nil {
				conn.Close()
			}
			expectTLS(t, err, bad.reason, bad.says, address[len("tls:"):])
		})
	}
}

func TestN07_BadClientsAreRefused(t *testing.T) {
	w := newWorld(t, true)
	for _, bad := range badCertificates {
		t.Run(bad.name, func(t *testing.T) {
			l, told := w.listenTold(t) // each its own, as one tells of a few a second only
			c := bad.make(t, w.root, forClients)
			from := w.knock(t, l, &tls.Config{Certificates: []tls.Certificate{c.pair()}})
			expectTLS(t, <-told, bad.reason, bad.says, from)
		})
	}
}

// listenTold returns a listener and what it tells the operator.
func (w *world) listenTold(t *testing.T) (transport.Listener, <-chan error) {
	t.Helper()
	told := make(chan error, 100)
	o := with(&transport.Options{OnError: func(err error) { told <- err }}, w.server)
	l := listenFor(t, anyTLSPort, o)
	nobody := make(chan struct{})
	go func() {
		defer close(nobody)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Error("somebody was let in:", c.Peer().Certificate)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-nobody
	})
	return l, told
}

// knock shakes hands as a stranger, who believes anybody and shows what he
// likes, and returns his address when he has been turned away.
func (w *world) knock(t *testing.T, l transport.Listener, config *tls.Config) (from string) {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr()[len("tls:"):])
	must(t, err)
	defer c.Close()
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AddCert(w.root.cert)
	config.ServerName = "localhost"
	if len(config.Certificates) > 0 { // whoever the service asks for
		own := &config.Certificates[0]
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own, nil }
	}
	s := tls.Client(c, config)
	s.Handshake()
	if n, err := s.Read(make([]byte, 1)); err == nil {
		t.Errorf("a stranger was told %d bytes", n)
	}
	return c.LocalAddr().String()
}

func TestN07_ClientsWithoutCertificateAreRefused(t *testing.T) {
	w := newWorld(t, true)
	l, told := w.listenTold(t)
	from := w.knock(t, l, &tls.Config{})
	expectTLS(t, <-told, transport.TLSMissing, from, "ca.pem")

	_, err := transport.Dial(t.Context(), l.Addr(), with(nil, &transport.TLSOptions{CAFile: w.client.CAFile}))
	expectTLS(t, err, transport.TLSMissing, "CertFile")
	<-told

	// What the service does not like the client is told at once, too.
	for _, change := range []struct {
		what string
		own  *certified
		says string
	}{
		{"authority", issue(t, foreign(t), forClients), "is not among those that it trusts"},
	} {
		o := *w.client
		o.CertFile, o.KeyFile = w.put(t, change.what, change.own)
		_, err := transport.Dial(t.Context(), l.Addr(), with(nil, &o))
		expectTLS(t, err, transport.TLSRefused, change.says, o.CertFile)
		expectTLS(t, <-told, transport.TLSUnknownAuthority)
	}
}

func TestN07_OldVersionsAreRefused(t *testing.T) {
	w := newWorld(t, true)
	l, told := w.listenTold(t)
	pair, err := tls.LoadX509KeyPair(w.client.CertFile, w.client.KeyFile)
	must(t, err)
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12} {
		from := w.knock(t, l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS10, MaxVersion: version})
		expectTLS(t, <-told, transport.TLSVersion, from, "AllowTLS12")
	}
	server, err := tls.LoadX509KeyPair(w.server.CertFile, w.server.KeyFile)
	must(t, err)
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12} {
		address := impostor(t, &tls.Config{Certificates: []tls.Certificate{server}, MinVersion: tls.VersionTLS10, MaxVersion: version})
		_, err := transport.Dial(t.Context(), address, with(nil, w.client))
		expectTLS(t, err, transport.TLSVersion, "AllowTLS12")
		if version == tls.VersionTLS12 {
			continue
		}
		o := *w.client
		o.AllowTLS12 = true // and nothing older
		_, err = transport.Dial(t.Context(), address, with(nil, &o))
		expectTLS(t, err, transport.TLSVersion)
	}
	// Ciphers of TLS 1.2 that keep no secrets for the future are not there.
	w.server.AllowTLS12 = true
	l, told = w.listenTold(t)
	w.knock(t, l, &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}})
	if err := <-told; !errors.Is(err, transport.ErrTLS) {
		t.Error(err)
	}
}

func TestN07_WhoDoesNotSpeakTLSIsRefused(t *testing.T) {
	w := newWorld(t, true)
	l, told := w.listenTold(t)
	for _, says := range []string{`{"type":"request"}` + "\n", "\x02\x00\x00\x00{}", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff" + strings.Repeat("x", 100)} {
		c, err := net.Dial("tcp", l.Addr()[len("tls:"):])
		must(t, err)
		_, err = c.Write([]byte(says))
		must(t, err)
		err = <-told
		e, ok := errors.AsType[*transport.TLSError](err)
		if !ok || e.Reason != transport.TLSNotTLS && e.Reason != transport.TLSBroken {
			t.Errorf("%q: %v", says, err)
		}
		c.Close()
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer plain.Close()
	go func() {
		c, err := plain.Accept()
		if err != nil {
			return
		}
		c.Write([]byte("\x02\x00\x00\x00{}"))
		c.Read(make([]byte, 1000))
		c.Close()
	}()
	_, err = transport.Dial(t.Context(), "tls:"+plain.Addr().String(), with(nil, w.client))
	expectTLS(t, err, transport.TLSNotTLS, plain.Addr().String())
}

// TestN07_NothingIsResumed: whoever was let in once is looked at again, by
// the authorities of the moment.
func TestN07_NothingIsResumed(t *testing.T) {
	w := newWorld(t, true)
	w.server.ReloadInterval = -1
	l := listenFor(t, anyTLSPort, with(nil, w.server))
	config := w.bare(t, 0)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for range 3 {
		c, err := tls.Dial("tcp", l.Addr()[len("tls:"):], config)
		must(t, err)
		server := acceptFor(t, l)
		must(t, server.Write([]byte("\x02\x00\x00\x00{}")))
		_, err = c.Read(make([]byte, 10))
		must(t, err)
		if c.ConnectionState().DidResume {
			t.Error("a session was resumed")
		}
		c.Close()
		server.Close()
	}
	// The authority is not believed any more: neither is its ticket.
	w.putAuthorities(t, "ca", foreign(t))
	if c, err := tls.Dial("tcp", l.Addr()[len("tls:"):], config); err == nil {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("let in")
		}
		c.Close()
	}
}

func TestN07_DialObeysItsContext(t *testing.T) {
	w := newWorld(t, false)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer silent.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		c, err := silent.Accept()
		if err != nil {
			return
		}
		c.Read(make([]byte, 1000)) // the client's first words
		cancel()
		c.Read(make([]byte, 1000)) // its end
		c.Close()
	}()
	if _, err := transport.Dial(ctx, "tls:"+silent.Addr().String(), with(nil, w.client)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	o := *w.client
	o.HandshakeTimeout = 30 * time.Millisecond
	_, err = transport.Dial(t.Context(), "tls:"+silent.Addr().String(), with(nil, &o))
	expectTLS(t, err, transport.TLSTimeout, "30ms")
}
