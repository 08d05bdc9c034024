package registry

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

func TestTransportAddressOnWindows(t *testing.T) {
	t.Setenv(transport.RuntimeDirEnv, t.TempDir())
	own, err := transport.ServiceAddress("db")
	if err != nil {
		t.Fatal(err)
	}
	own = strings.TrimSuffix(own, "db")
	type way = manifest.Transport
	for _, test := range []struct {
		t    way
		want string // an address, or a code
	}{
		{way{}, own + "db"},
		{way{Type: "auto"}, own + "db"},
		{way{Type: "unix"}, own + "db"},
		{way{Type: "unix", Address: "x.sock"}, own + "x"},
		{way{Type: "namedpipe", Address: "ekko-db-service"}, own + "ekko-db-service"},
		{way{Type: "namedpipe", Address: `\\.\pipe\ekko-db`}, "pipe:ekko-db"},
		{way{Type: "tcp", Port: 7000}, "tcp:127.0.0.1:7000"},

		{way{Type: "namedpipe", Address: `\\server\pipe\db`}, "TRANSPORT_UNSUPPORTED"},
		{way{Type: "namedpipe", Address: `\\.\pipe\a\b`}, "UNTRUSTED_PEER"},
		{way{Type: "namedpipe", Address: `\\.\pipe\..\b`}, "UNTRUSTED_PEER"},
		{way{Type: "namedpipe", Address: `..\db`}, "UNTRUSTED_PEER"},
		{way{Type: "unix", Address: "/run/user/1000/x.sock"}, "TRANSPORT_UNSUPPORTED"},
		{way{Type: "unix", Address: `C:\run\x.sock`}, "TRANSPORT_UNSUPPORTED"},
		{way{Type: "unix", Address: "unix:/run/x.sock"}, "TRANSPORT_UNSUPPORTED"},
		{way{Type: "fifo"}, "TRANSPORT_UNSUPPORTED"},
	} {
		got, err := TransportAddress("db", &test.t)
		if err != nil {
			got = string(wire.CodeOf(err))
		}
		if got != test.want {
			t.Errorf("%s %q: %s instead of %s (%v)", test.t.Type, test.t.Address, got, test.want, err)
		}
	}
}

// TestResolveAPipe finds a service by its pipe alone, while it lives.
func TestResolveAPipe(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(transport.RuntimeDirEnv, dir)
	r := New(&Options{Dirs: []string{dir}, WorkDir: dir, HomeDir: filepath.Join(dir, "home")})
	if _, err := r.Resolve(t.Context(), "db"); wire.CodeOf(err) != wire.CodeServiceNotFound {
		t.Errorf("without a service: got %v", err)
	}
	address, err := transport.ServiceAddress("db")
	if err != nil {
		t.Fatal(err)
	}
	l, err := transport.Listen(context.Background(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	found, err := r.Resolve(t.Context(), "db")
	if err != nil {
		t.Fatal(err)
	}
	if want := `\\.\pipe\` + strings.TrimPrefix(address, "pipe:"); found.Address != address || found.Source != SourceRuntime || found.Path != want {
		t.Errorf("found %+v", found)
	}
	l.Close()
	if _, err := r.Resolve(t.Context(), "db"); wire.CodeOf(err) != wire.CodeServiceNotFound {
		t.Errorf("after its end: got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left on disk: %v, %v", left, err)
	}
}
