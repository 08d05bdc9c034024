package devcert_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ekkojs/ipc/internal/devcert"
	"github.com/ekkojs/ipc/transport"
)

// TestTheyGetAlong: what is made here is taken there.
func TestTheyGetAlong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	paths, err := devcert.Write(dir, &devcert.Options{Clients: []string{"billing", "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range paths {
		names = append(names, filepath.Base(p))
		if info, err := os.Stat(p); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
	if want := []string{"ca.pem", "server.pem", "server.key", "billing.pem", "billing.key", "shop.pem", "shop.key"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	l, err := transport.Listen(t.Context(), "tls:localhost:0", &transport.Options{TLS: &transport.TLSOptions{
		CertFile: in("server.pem"), KeyFile: in("server.key"), CAFile: in("ca.pem"), ClientCert: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, name := range []string{"billing", "shop"} {
		c, err := transport.Dial(t.Context(), l.Addr(), &transport.Options{TLS: &transport.TLSOptions{
			CertFile: in(name + ".pem"), KeyFile: in(name + ".key"), CAFile: in("ca.pem"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Peer().Certificate.Principal(); got != "CN="+name {
			t.Errorf("%s is %s", name, got)
		}
		s.Close()
		c.Close()
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "client.key")
	if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := devcert.Write(dir, nil); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files", len(entries))
	}
	if text, _ := os.ReadFile(taken); string(text) != "precious" {
		t.Errorf("%q", text)
	}
}

func TestBadNames(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a/b", "../x", "server", "ca"} {
		if paths, err := devcert.Write(t.TempDir(), &devcert.Options{Clients: []string{name}}); err == nil {
			t.Errorf("%q: %v", name, paths)
		}
	}
}
