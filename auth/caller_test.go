package auth_test

import (
	"errors"
	"os"
	"testing"

	"github.com/ekkojs/ipc/auth"
	"github.com/ekkojs/ipc/transport"
)

func TestF06_NobodyIsNotACaller(t *testing.T) {
	for _, uid := range []uint32{65534, ^uint32(0)} {
		c, err := auth.FromPeer(transport.Peer{Known: true, UID: uid})
		if !errors.Is(err, auth.ErrUnidentified) {
			t.Errorf("user %d: got %v, %v, want ErrUnidentified", uid, c, err)
		}
		if c.Known || c.String() != "unknown user" {
			t.Errorf("user %d: the caller beside the error is %v", uid, c)
		}
	}
}

func TestF06_UnknownIsNotRoot(t *testing.T) {
	// Whatever numbers stand beside, they are nobody's word.
	c, err := auth.FromPeer(transport.Peer{UID: 1000, GID: 1000, PID: 7})
	if err != nil {
		t.Fatal(err)
	}
	if c.Known || c.UID != 0 || c.PID != 0 || c.String() != "unknown user" || c.Exe() != "" {
		t.Errorf("got %+v, want nobody", c)
	}
}

func TestCaller(t *testing.T) {
	c, err := auth.FromPeer(transport.Peer{Known: true, UID: 1000, GID: 100, PID: 42})
	if err != nil {
		t.Fatal(err)
	}
	c.Roles = []string{"admin", "reader"}
	if got, want := c.String(), "uid 1000, gid 100, pid 42, roles admin reader"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !c.HasRole("reader") || c.HasRole("read") {
		t.Error("roles are mixed up")
	}
	if exe := c.Exe(); exe != "" {
		t.Errorf("a caller without a connection runs %q", exe)
	}
}

func TestN07_CertificateIsACaller(t *testing.T) {
	id := &transport.CertificateIdentity{URIs: []string{"spiffe://example.org/\"a\""}, Subject: "CN=x"}
	c, err := auth.FromPeer(transport.Peer{Certificate: id})
	if err != nil || c.Known || c.Certificate != id {
		t.Errorf("%+v, %v", c, err)
	}
	if got, want := c.String(), `certificate "spiffe://example.org/\"a\""`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestExe(t *testing.T) {
	a, b := transport.Pair(nil)
	defer a.Close()
	defer b.Close()
	if _, err := a.Peer().PIDFD(); errors.Is(err, transport.ErrUnsupported) {
		t.Skip(err)
	}
	c, err := auth.FromPeer(a.Peer())
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Exe(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
