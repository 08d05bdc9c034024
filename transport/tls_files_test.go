package transport_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
)

// TestN07_BadFilesAreToldBeforeAnybodySeesThem: what is wrong with one's own
// files is said by name, when listening and when dialling.
func TestN07_BadFilesAreToldBeforeAnybodySeesThem(t *testing.T) {
	type spoil struct {
		name   string
		do     func(t *testing.T, w *world, o *transport.TLSOptions)
		reason transport.TLSReason
		says   string // $CERT, $KEY and $CA stand for the files
	}
	put := func(change func(*x509.Certificate)) func(*testing.T, *world, *transport.TLSOptions) {
		return func(t *testing.T, w *world, o *transport.TLSOptions) {
			usual := forClients
			if o == w.server {
				usual = nil
			}
			o.CertFile, o.KeyFile = w.put(t, "bad", issue(t, w.root, both(usual, change)))
		}
	}
	text := func(which func(*transport.TLSOptions) string, text func([]byte) []byte) func(*testing.T, *world, *transport.TLSOptions) {
		return func(t *testing.T, _ *world, o *transport.TLSOptions) {
			old, err := os.ReadFile(which(o))
			must(t, err)
			replace(t, which(o), text(old))
		}
	}
	cert := func(o *transport.TLSOptions) string { return o.CertFile }
	key := func(o *transport.TLSOptions) string { return o.KeyFile }
	ca := func(o *transport.TLSOptions) string { return o.CAFile }
	cut := func(p []byte) []byte { return p[:len(p)-60] }
	spoils := []spoil{
		{"no certificate", func(_ *testing.T, _ *world, o *transport.TLSOptions) { o.CertFile = "" }, transport.TLSMissing, "CertFile"},
		{"no key", func(_ *testing.T, _ *world, o *transport.TLSOptions) { o.KeyFile = "" }, transport.TLSMissing, "KeyFile"},
		{"certificate not there", func(_ *testing.T, _ *world, o *transport.TLSOptions) { os.Remove(o.CertFile) }, transport.TLSFile, "$CERT cannot be read"},
		{"key not there", func(_ *testing.T, _ *world, o *transport.TLSOptions) { os.Remove(o.KeyFile) }, transport.TLSFile, "$KEY"},
		{"authorities not there", func(_ *testing.T, _ *world, o *transport.TLSOptions) { os.Remove(o.CAFile) }, transport.TLSFile, "$CA"},
		{"certificate is a directory", func(_ *testing.T, _ *world, o *transport.TLSOptions) {
			os.Remove(o.CertFile)
			os.Mkdir(o.CertFile, 0o700)
		}, transport.TLSFile, "$CERT is not a regular file"},
		{"certificate is empty", text(cert, func([]byte) []byte { return nil }), transport.TLSMalformed, "$CERT holds no certificate"},
		{"authorities are empty", text(ca, func([]byte) []byte { return nil }), transport.TLSMalformed, "$CA holds no certificate"},
		{"certificate is DER", text(cert, func(p []byte) []byte { b, _ := pem.Decode(p); return b.Bytes }), transport.TLSMalformed, "openssl x509"},
		{"certificate cut off", text(cert, cut), transport.TLSMalformed, "$CERT"},
		{"authorities cut off", text(ca, cut), transport.TLSMalformed, "$CA"},
		{"second certificate cut off", text(cert, func(p []byte) []byte { return append(p, cut(p)...) }), transport.TLSMalformed, "certificate 2 in $CERT"},
		{"certificate of garbage", text(cert, func([]byte) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("garbage")})
		}), transport.TLSMalformed, "certificate 1 in $CERT"},
		{"key cut off", text(key, cut), transport.TLSMalformed, "$KEY"},
		{"key is a certificate", func(_ *testing.T, _ *world, o *transport.TLSOptions) { o.KeyFile = o.CertFile }, transport.TLSMalformed, "is no private key"},
		{"another's key", func(t *testing.T, w *world, o *transport.TLSOptions) {
			replace(t, o.KeyFile, keyPEM(t, foreign(t).key))
		}, transport.TLSKey, "$KEY"},
		{"too large", text(ca, func(p []byte) []byte { return append(p, make([]byte, 1<<20)...) }), transport.TLSFile, "$CA"},
		{"expired", put(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), transport.TLSExpired, "$CERT"},
		{"not yet valid", put(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour / 2) }), transport.TLSNotYetValid, "$CERT"},
		{"for code", put(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }), transport.TLSUsage, "$CERT"},
		{"weak", func(t *testing.T, w *world, o *transport.TLSOptions) {
			usual := forClients
			if o == w.server {
				usual = nil
			}
			o.CertFile, o.KeyFile = w.put(t, "bad", issueFor(t, weakRSA(t, 1024), w.root, usual))
		}, transport.TLSWeak, "$CERT"},
	}
	if runtime.GOOS != "windows" {
		chmod := func(which func(*transport.TLSOptions) string, mode os.FileMode) func(*testing.T, *world, *transport.TLSOptions) {
			return func(_ *testing.T, _ *world, o *transport.TLSOptions) { os.Chmod(which(o), mode) }
		}
		spoils = append(spoils,
			spoil{"key readable by all", chmod(key, 0o604), transport.TLSFile, "chmod 600 $KEY"},
			spoil{"key writable by the group", chmod(key, 0o620), transport.TLSFile, "$KEY"},
			spoil{"certificate writable by all", chmod(cert, 0o602), transport.TLSFile, "chmod go-w $CERT"},
			spoil{"authorities writable by the group", chmod(ca, 0o664), transport.TLSFile, "$CA"},
		)
	}
	for _, s := range spoils {
		t.Run(s.name, func(t *testing.T) {
			for _, side := range []string{"service", "client"} {
				w := newWorld(t, true)
				o := w.server
				if side == "client" {
					o = w.client
				}
				s.do(t, w, o)
				var err error
				if side == "service" {
					var l transport.Listener
					if l, err = transport.Listen(t.Context(), anyTLSPort, with(nil, o)); err == nil {
						l.Close()
					}
				} else {
					_, err = transport.Dial(t.Context(), "tls:127.0.0.1:1", with(nil, o))
				}
				expectTLS(t, err, s.reason, strings.NewReplacer("$CERT", o.CertFile, "$KEY", o.KeyFile, "$CA", o.CAFile).Replace(s.says))
			}
		})
	}
	t.Run("no host", func(t *testing.T) {
		w := newWorld(t, false)
		put(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil })(t, w, w.server)
		_, err := transport.Listen(t.Context(), anyTLSPort, with(nil, w.server))
		expectTLS(t, err, transport.TLSName, w.server.CertFile, "subjectAltName")
	})
	t.Run("no authorities for clients", func(t *testing.T) {
		w := newWorld(t, true)
		w.server.CAFile = ""
		_, err := transport.Listen(t.Context(), anyTLSPort, with(nil, w.server))
		expectTLS(t, err, transport.TLSMissing, "CAFile")
	})
	t.Run("no options", func(t *testing.T) {
		_, err := transport.Listen(t.Context(), anyTLSPort, nil)
		expectTLS(t, err, transport.TLSMissing, "CertFile")
	})
}

// TestN07_ReloadUnderLoad: certificates, and the authority itself, are
// replaced again and again while clients come, speak and go. None fails, and
// those that stay are not disturbed.
func TestN07_ReloadUnderLoad(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("on Windows a file cannot be replaced while somebody reads it")
	}
	w := newWorld(t, true)
	w.server.ReloadInterval = -1
	var complaints atomic.Int64
	o := with(&transport.Options{OnError: func(err error) { complaints.Add(1); t.Log(err) }}, w.server)
	l := listenFor(t, anyTLSPort, o)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				for {
					frame, err := c.ReadFrame()
					if err != nil {
						return
					}
					c.Write(append([]byte{byte(len(frame)), 0, 0, 0}, frame...))
				}
			})
		}
	})
	call := func(c transport.Conn) error {
		if err := c.Write([]byte("\x02\x00\x00\x00{}")); err != nil {
			return err
		}
		_, err := c.ReadFrame()
		return err
	}
	stays := dialFor(t, l.Addr(), with(nil, w.client))
	defer stays.Close()
	first := stays.Peer().Certificate.Fingerprint

	var stop atomic.Bool
	var calls atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for !stop.Load() {
				c, err := transport.Dial(t.Context(), l.Addr(), with(nil, w.client))
				if err == nil {
					err = call(c)
					c.Close()
				}
				if err != nil {
					t.Error(err)
					return
				}
				calls.Add(1)
			}
		})
	}
	const renewals = 30
	for i := range renewals {
		// One file after the other, as it is in life: in between they do not
		// go together.
		next := issue(t, w.root, nil)
		replace(t, w.server.CertFile, certPEM(next.chain...))
		if i%3 == 0 {
			must(t, call(stays))
		}
		replace(t, w.server.KeyFile, keyPEM(t, next.key))
		before := calls.Load()
		for calls.Load() < before+4 && !t.Failed() {
			must(t, call(stays))
		}
	}
	stop.Store(true)
	clients.Wait()
	must(t, call(stays))
	c := dialFor(t, l.Addr(), with(nil, w.client))
	if c.Peer().Certificate.Fingerprint == first {
		t.Error("the new certificate is not in use")
	}
	c.Close()
	stays.Close()
	must(t, l.Close())
	serving.Wait()
	if n := complaints.Load(); n > renewals {
		t.Errorf("%d complaints of %d moments between two files", n, renewals)
	}
}

func TestN07_ABrokenFileKeepsTheOldOne(t *testing.T) {
	w := newWorld(t, true)
	w.server.ReloadInterval = -1
	told := make(chan error, 10)
	l := listenFor(t, anyTLSPort, with(&transport.Options{OnError: func(err error) { told <- err }}, w.server))
	served := func() string {
		t.Helper()
		c := dialFor(t, l.Addr(), with(nil, w.client))
		defer c.Close()
		acceptFor(t, l).Close()
		return c.Peer().Certificate.Fingerprint
	}
	first := served()
	good := map[string][]byte{}
	for _, path := range []string{w.server.CertFile, w.server.KeyFile, w.server.CAFile} {
		var err error
		good[path], err = os.ReadFile(path)
		must(t, err)
	}
	expired := issue(t, w.root, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	for _, broken := range []struct {
		path   string
		text   []byte // nil: it is gone
		reason transport.TLSReason
	}{
		{w.server.CertFile, nil, transport.TLSFile},
		{w.server.KeyFile, nil, transport.TLSFile},
		{w.server.CertFile, []byte{}, transport.TLSMalformed},
		{w.server.CertFile, good[w.server.CertFile][:100], transport.TLSMalformed},
		{w.server.CertFile, certPEM(expired.chain...), transport.TLSExpired},
		{w.server.KeyFile, keyPEM(t, expired.key), transport.TLSKey},
	} {
		if broken.text == nil {
			must(t, os.Remove(broken.path))
		} else {
			replace(t, broken.path, broken.text)
		}
		for range 3 { // told once
			if got := served(); got != first {
				t.Errorf("certificate %s instead of %s", got, first)
			}
		}
		expectTLS(t, <-told, broken.reason, broken.path, "stays in use")
		replace(t, broken.path, good[broken.path])
		served()
	}
	// Without authorities nobody would be asked for a certificate: that must
	// not come of a file that is lost.
	authorities := w.path("authorities.pem")
	must(t, os.Rename(w.server.CAFile, authorities))
	o := *w.client
	o.CAFile, o.CertFile, o.KeyFile = authorities, "", ""
	_, err := transport.Dial(t.Context(), l.Addr(), with(nil, &o))
	expectTLS(t, err, transport.TLSMissing)
	for range 2 {
		<-told
	}
	select {
	case err := <-told:
		t.Errorf("told once more: %v", err)
	default:
	}
	must(t, os.Rename(authorities, w.server.CAFile))
	next := issue(t, w.root, nil)
	replace(t, w.server.CertFile, certPEM(next.chain...))
	replace(t, w.server.KeyFile, keyPEM(t, next.key))
	if served() == first {
		t.Error("the new certificate is not in use")
	}
}

// TestN07_FilesAreLookedAtOnceInAWhile: with the default a flood of clients
// does not read the disk.
func TestN07_FilesAreLookedAtOnceInAWhile(t *testing.T) {
	w := newWorld(t, false)
	w.server.ReloadInterval = time.Hour
	l := listenFor(t, anyTLSPort, with(&transport.Options{OnError: func(err error) { t.Error(err) }}, w.server))
	must(t, os.Remove(w.server.CertFile))
	for range 3 {
		c := dialFor(t, l.Addr(), with(nil, w.client))
		acceptFor(t, l).Close()
		c.Close()
	}
}

func TestN07_MutualIdentity(t *testing.T) {
	w := newWorld(t, true)
	uri := "spiffe://example.org/billing"
	w.client.CertFile, w.client.KeyFile = w.put(t, "billing", issue(t, w.root, both(forClients, func(c *x509.Certificate) {
		c.URIs = append(c.URIs, parsed(t, uri))
	})))
	server, client := tlsPair(w)(t, nil)
	defer server.Close()
	defer client.Close()
	id := server.Peer().Certificate
	if server.Peer().Known || id == nil || id.Principal() != uri || id.Subject != "CN=client" || len(id.DNSNames) != 1 || len(id.Fingerprint) != 64 {
		t.Errorf("%+v", id)
	}
	if id := client.Peer().Certificate; id == nil || id.Principal() != "localhost" || id.NotAfter.Before(time.Now()) {
		t.Errorf("%+v", id)
	}
	for _, test := range []struct {
		id   transport.CertificateIdentity
		want string
	}{
		{transport.CertificateIdentity{DNSNames: []string{"a", "b"}, Emails: []string{"c"}, Subject: "CN=d"}, "a"},
		{transport.CertificateIdentity{Emails: []string{"c"}, Subject: "CN=d"}, "c"},
		{transport.CertificateIdentity{Subject: "CN=d"}, "CN=d"},
		{transport.CertificateIdentity{Fingerprint: "ab"}, "sha256:ab"},
	} {
		if got := test.id.Principal(); got != test.want {
			t.Errorf("%+v: %s", test.id, got)
		}
	}
}

// TestN07_ForeignServersWithoutTicketsAreBelieved: a service that has no word
// for having accepted a certificate makes its clients wait a moment only.
func TestN07_ForeignServersWithoutTicketsAreBelieved(t *testing.T) {
	w := newWorld(t, true)
	pair, err := tls.LoadX509KeyPair(w.server.CertFile, w.server.KeyFile)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(w.root.cert)
	for _, speaksFirst := range []bool{false, true} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		done := make(chan error, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				done <- err
				return
			}
			defer c.Close()
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, SessionTicketsDisabled: true})
			if speaksFirst {
				fmt.Fprint(s, "\x02\x00\x00\x00[]")
			}
			buf := make([]byte, 6)
			if _, err = s.Read(buf); err != nil || string(buf) != "\x02\x00\x00\x00{}" {
				err = errors.Join(err, fmt.Errorf("got %q", buf))
			}
			fmt.Fprint(s, "\x02\x00\x00\x00{}")
			done <- err
		}()
		c := dialFor(t, "tls:"+l.Addr().String(), with(nil, w.client))
		if speaksFirst {
			if frame, err := c.ReadFrame(); string(frame) != "[]" {
				t.Errorf("%q, %v", frame, err)
			}
		}
		must(t, c.Write([]byte("\x02\x00\x00\x00{}")))
		if frame, err := c.ReadFrame(); string(frame) != "{}" {
			t.Errorf("%q, %v", frame, err)
		}
		c.Close()
		must(t, <-done)
		l.Close()
	}
}
