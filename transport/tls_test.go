package transport_test

import (
	"crypto/tls"
	"crypto/x509"
	"runtime"
	"testing"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/transport/transporttest"
)

const anyTLSPort = "tls:127.0.0.1:0"

// tlsPair makes pairs by Listen and Dial.
func tlsPair(w *world) func(testing.TB, *transport.Options) (server, client transport.Conn) {
	return func(t testing.TB, o *transport.Options) (server, client transport.Conn) {
		l := listenFor(t, anyTLSPort, with(o, w.server))
		client = dialFor(t, l.Addr(), with(o, w.client))
		server = acceptFor(t, l)
		l.Close()
		return server, client
	}
}

func TestFactsTLS(t *testing.T) { tlsSuite(t, true, 0) }

// TestFactsTLS12 also has clients that show no certificate.
func TestFactsTLS12(t *testing.T) { tlsSuite(t, false, tls.VersionTLS12) }

func tlsSuite(t *testing.T, mutual bool, version uint16) {
	w := newWorld(t, mutual)
	w.server.AllowTLS12 = version == tls.VersionTLS12
	transporttest.Run(t, transporttest.Transport{
		Pair: tlsPair(w),
		Raw: func(t testing.TB, o *transport.Options) (transport.Conn, transporttest.Bare) {
			l := listenFor(t, anyTLSPort, with(o, w.server))
			c, err := tls.Dial("tcp", l.Addr()[len("tls:"):], w.bare(t, version))
			must(t, err)
			server := acceptFor(t, l)
			l.Close()
			return server, c
		},
		Many:        300,
		Allocations: 2,
		Waits:       runtime.GOOS == "windows", // as the sockets below do
	})
}

// bare is how a program of another kind would dial.
func (w *world) bare(t testing.TB, version uint16) *tls.Config {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(w.root.cert)
	config := &tls.Config{RootCAs: roots, ServerName: "localhost", MaxVersion: version}
	if w.client.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(w.client.CertFile, w.client.KeyFile)
		must(t, err)
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}
