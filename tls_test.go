package ipc_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/devcert"
)

// secured is a service whose manifest asks for mutual TLS, at an address that
// is written into the manifest when it is known.
type secured struct {
	dir     string
	address string
	service *ipc.Service
	stop    func()
}

func (s *secured) path(name string) string { return filepath.Join(s.dir, name) }

func (s *secured) client(name string) *ipc.ClientOptions {
	o := &ipc.ClientOptions{Dirs: []string{s.dir}}
	if name != "" {
		o.TLS = &ipc.TLSOptions{CertFile: s.path(name + ".pem"), KeyFile: s.path(name + ".key")}
	}
	return o
}

const securedManifest = `{
  "service": {"name": "vault", "version": "1.0.0", "transport": {
    "type": "tcp", "address": "127.0.0.1", "port": %d,
    "tls": {"ca": "ca.pem", "cert": "server.pem", "key": "server.key", "clientCert": true}
  }},
  "methods": {
    "whoami": {"parameters": [], "returns": {"type": "string"}},
    "once": {"parameters": [], "returns": {"type": "string"}, "idempotent": true}
  }
}`

func serveSecured(t *testing.T, opts *ipc.ServiceOptions) *secured {
	t.Helper()
	s := &secured{dir: t.TempDir()}
	if _, err := devcert.Write(s.dir, &devcert.Options{Clients: []string{"billing", "shop"}}); err != nil {
		t.Fatal(err)
	}
	path := s.path("vault.ekko.ipc.json")
	write := func(port int) {
		if err := os.WriteFile(path, fmt.Appendf(nil, securedManifest, port), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(1)
	m, err := ipc.LoadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	var o ipc.ServiceOptions
	if opts != nil {
		o = *opts
	}
	o.Logger = quiet
	address := make(chan string, 1)
	o.Ready = func(at []string) { address <- at[0] }
	s.service = ipc.NewService(m, &o)
	whoami := func(_ context.Context, r *ipc.Request) (any, error) {
		if c := r.Caller; c.Known || c.Certificate == nil {
			return nil, fmt.Errorf("the caller is %+v", c)
		}
		return r.Caller.Certificate.Principal(), nil
	}
	s.service.Handle("whoami", whoami)
	s.service.Handle("once", whoami)
	s.stop = sync.OnceFunc(serveAt(t, s.service, "tls:127.0.0.1:0"))
	t.Cleanup(s.stop)
	s.address = <-address
	var port int
	if _, err := fmt.Sscanf(s.address, "tls:127.0.0.1:%d", &port); err != nil {
		t.Fatal(s.address, err)
	}
	write(port)
	return s
}

func TestN07_AServiceByMutualTLS(t *testing.T) {
	s := serveSecured(t, nil)
	for _, name := range []string{"billing", "shop"} {
		c, err := ipc.Dial(t.Context(), "vault", s.client(name))
		if err != nil {
			t.Fatal(err)
		}
		if c.Address() != s.address {
			t.Errorf("dialled %s instead of %s", c.Address(), s.address)
		}
		got, err := ipc.Call[string](t.Context(), c, "whoami")
		if err != nil || got != "CN="+name {
			t.Errorf("%q, %v", got, err)
		}
		hello, err := c.Call(t.Context(), "ipc.hello")
		if err != nil || !strings.Contains(string(hello), `"identity":{"certificate":"CN=`+name+`"}`) {
			t.Errorf("%s, %v", hello, err)
		}
		c.Close()
	}
}

func TestN07_WhatADialIsTold(t *testing.T) {
	s, other := serveSecured(t, nil), serveSecured(t, nil)
	foreign := other.client("billing")
	foreign.Dirs = []string{s.dir}
	believing := s.client("billing") // in another authority
	believing.TLS.CAFile = other.path("ca.pem")
	misnamed := s.client("billing")
	misnamed.TLS.ServerName = "other.example"
	broken := s.client("billing")
	broken.TLS.KeyFile = s.path("shop.key")
	for _, test := range []struct {
		name string
		opts *ipc.ClientOptions
		says string
	}{
		{"no certificate", s.client(""), "CertFile"},
		{"of another authority", foreign, foreign.TLS.CertFile},
		{"believing in another authority", believing, believing.TLS.CAFile},
		{"another name", misnamed, "localhost, 127.0.0.1"},
		{"another's key", broken, broken.TLS.KeyFile},
	} {
		c, err := ipc.Dial(t.Context(), "vault", test.opts)
		if err == nil {
			c.Close()
		}
		e, ok := errors.AsType[*ipc.Error](err)
		if !ok || e.Code != ipc.CodeTLSError || e.Details.Executed != ipc.ExecutedNo || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	s.stop()
	if _, err := ipc.Dial(t.Context(), "vault", s.client("billing")); ipc.CodeOf(err) != ipc.CodeServiceUnavailable {
		t.Error(err)
	}
}

// TestN07_ThereIsNoWayAround: whoever fails at TLS is not led to a fallback
// that knows him less well.
func TestN07_ThereIsNoWayAround(t *testing.T) {
	run, err := os.MkdirTemp("", "ekko") // short: the path of a socket is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(run) })
	t.Setenv("EKKO_IPC_RUNTIME_DIR", run)
	s := serveSecured(t, nil)
	path := s.path("vault.ekko.ipc.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	open := strings.Replace(string(text), `"clientCert": true}`, `"clientCert": true}, "fallback": [{"type": "unix", "address": "vault"}]`, 1)
	if err := os.WriteFile(path, []byte(open), 0o600); err != nil {
		t.Fatal(err)
	}
	around := ipc.NewService(parse(t, open), &ipc.ServiceOptions{Logger: quiet})
	around.Handle("whoami", func(context.Context, *ipc.Request) (any, error) { return "around", nil })
	stop := serveAt(t, around, serviceAddress(t, "vault"))
	defer stop()
	for _, opts := range []*ipc.ClientOptions{s.client(""), {Dirs: []string{s.dir}, TLS: &ipc.TLSOptions{ServerName: "other.example"}}} {
		if c, err := ipc.Dial(t.Context(), "vault", opts); ipc.CodeOf(err) != ipc.CodeTLSError {
			t.Errorf("%v, %v", c, err)
		}
	}
	s.stop() // nobody is there: that is what a fallback is for
	c, err := ipc.Dial(t.Context(), "vault", s.client(""))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := ipc.Call[string](t.Context(), c, "whoami"); got != "around" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestN07_WhatServeIsTold(t *testing.T) {
	s := serveSecured(t, nil)
	text, err := os.ReadFile(s.path("vault.ekko.ipc.json"))
	if err != nil {
		t.Fatal(err)
	}
	m := parse(t, string(text)) // beside nothing
	for says, opts := range map[string]*ipc.TLSOptions{
		"server.pem":         nil,
		"KeyFile":            {CertFile: s.path("server.pem"), CAFile: s.path("ca.pem")},
		"shop.key":           {CertFile: s.path("server.pem"), KeyFile: s.path("shop.key"), CAFile: s.path("ca.pem")},
		"serverAuth":         {CertFile: s.path("shop.pem"), KeyFile: s.path("shop.key"), CAFile: s.path("ca.pem")},
		s.path("nobody.pem"): {CertFile: s.path("server.pem"), KeyFile: s.path("server.key"), CAFile: s.path("nobody.pem")},
	} {
		service := ipc.NewService(m, &ipc.ServiceOptions{TLS: opts, Logger: quiet})
		err := service.Serve(t.Context(), "tls:127.0.0.1:0")
		if ipc.CodeOf(err) != ipc.CodeTLSError || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	service := ipc.NewService(m, &ipc.ServiceOptions{Logger: quiet})
	if err := service.Serve(t.Context(), "tcp:0.0.0.0:0"); ipc.CodeOf(err) != "TRANSPORT_UNSUPPORTED" || !strings.Contains(err.Error(), "tls:HOST:PORT") {
		t.Error(err)
	}
}

// TestN07_WithoutClientCertificates whoever calls is nobody, and it takes an
// Admit to let nobody in.
func TestN07_WithoutClientCertificates(t *testing.T) {
	s := serveSecured(t, nil)
	tls := &ipc.TLSOptions{CertFile: s.path("server.pem"), KeyFile: s.path("server.key")}
	client := &ipc.ClientOptions{TLS: &ipc.TLSOptions{CAFile: s.path("ca.pem")}}
	for _, test := range []struct {
		admit func(ipc.Caller) bool
		code  ipc.Code
	}{
		{nil, ipc.CodeUnauthenticated},
		{func(c ipc.Caller) bool { return !c.Known && c.Certificate == nil }, ""},
	} {
		address := make(chan string, 1)
		service := newFixture(&ipc.ServiceOptions{TLS: tls, Admit: test.admit, Logger: quiet, Ready: func(at []string) { address <- at[0] }})
		stop := serveAt(t, service, "tls:localhost:0")
		c, err := ipc.Dial(t.Context(), <-address, client)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Call(t.Context(), "echo", 1); ipc.CodeOf(err) != test.code {
			t.Error(err)
		}
		c.Close()
		stop()
	}
}

func TestN07_HostsAreAllowedByTheService(t *testing.T) {
	s := serveSecured(t, &ipc.ServiceOptions{AllowHosts: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	if _, err := ipc.Dial(t.Context(), "vault", s.client("billing")); ipc.CodeOf(err) != ipc.CodeServiceUnavailable {
		t.Error(err)
	}
}

// TestN07_CallersDoNotShareKeys: what was done for one certificate is not
// given to another that uses the same key.
func TestN07_CallersDoNotShareKeys(t *testing.T) {
	s := serveSecured(t, nil)
	for _, name := range []string{"billing", "shop", "billing"} {
		c, err := ipc.Dial(t.Context(), "vault", s.client(name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Call(ipc.WithIdempotencyKey(t.Context(), "the same"), "once")
		if err != nil || string(got) != `"CN=`+name+`"` {
			t.Errorf("%s, %v", got, err)
		}
		c.Close()
	}
}

// TestN07_NoCallFailsWhenCertificatesAreRenewed: of those that are under way
// on connections that stay, and of those for which one is opened.
func TestN07_NoCallFailsWhenCertificatesAreRenewed(t *testing.T) {
	s := serveSecured(t, &ipc.ServiceOptions{TLS: &ipc.TLSOptions{ReloadInterval: -1}})
	stays, err := ipc.Dial(t.Context(), "vault", s.client("billing"))
	if err != nil {
		t.Fatal(err)
	}
	defer stays.Close()
	var stop atomic.Bool
	var calls atomic.Int64
	var callers sync.WaitGroup
	for range 3 {
		callers.Go(func() {
			for !stop.Load() {
				if _, err := stays.Call(t.Context(), "whoami"); err != nil {
					t.Error(err)
					return
				}
				calls.Add(1)
			}
		})
	}
	original := serverCertificate(t, s.dir)
	other := t.TempDir()
	for range 5 {
		// From the same authority there is none to be had any more: a renewal
		// replaces all of them, and clients take up the new files by dialling.
		fresh := filepath.Join(other, fmt.Sprint(calls.Load()))
		if _, err := devcert.Write(fresh, &devcert.Options{Clients: []string{"billing", "shop"}}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ca.pem", "server.pem", "server.key", "billing.pem", "billing.key"} {
			if err := os.Rename(filepath.Join(fresh, name), s.path(name)); err != nil {
				t.Fatal(err)
			}
		}
		c, err := ipc.Dial(t.Context(), "vault", s.client("billing"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Call(t.Context(), "whoami"); err != nil {
			t.Error(err)
		}
		c.Close()
		for before := calls.Load(); calls.Load() < before+20 && !t.Failed(); {
			if _, err := stays.Call(t.Context(), "whoami"); err != nil {
				t.Error(err)
			}
		}
	}
	stop.Store(true)
	callers.Wait()
	if serverCertificate(t, s.dir).Equal(original) {
		t.Error("nothing was renewed")
	}
}

func serverCertificate(t *testing.T, dir string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "server.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
