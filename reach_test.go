package ipc_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/transport"
)

// reachable writes a manifest of a service that has a free port and a socket,
// and returns the folder to find it in, and the port.
func reachable(t *testing.T, ways string) (dir string, port int) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ekko")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("EKKO_IPC_RUNTIME_DIR", dir)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	text := fmt.Sprintf(`{"service":{"name":"reachable","version":"1.0.0","transport":`+ways+`},"methods":{"echo":{"parameters":[{"name":"v","type":"any"}]}}}`, port)
	if err := os.WriteFile(filepath.Join(dir, "reachable.ekko.ipc.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, port
}

// serviceAddress is where a service is that says nothing of it.
func serviceAddress(t *testing.T, name string) string {
	t.Helper()
	address, err := transport.ServiceAddress(name)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// serveManifest serves a manifest where that says, or at the addresses.
func serveManifest(t *testing.T, dir string, logger *slog.Logger, addresses ...string) (reached []string, stop func()) {
	t.Helper()
	m, err := ipc.LoadManifest(filepath.Join(dir, "reachable.ekko.ipc.json"))
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan []string, 1)
	s := ipc.NewService(m, &ipc.ServiceOptions{
		Logger: logger, Ready: func(at []string) { ready <- at },
		Admit: func(ipc.Caller) bool { return true }, // tcp says nothing of who calls
	})
	s.Handle("echo", func(_ context.Context, r *ipc.Request) (any, error) { return r.Data, nil })
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, addresses...) }()
	select {
	case reached = <-ready:
	case err := <-served:
		cancel()
		t.Fatalf("Serve: %v", err)
	}
	return reached, func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

// TestFallback: a service is served at each address of its manifest, and a
// client finds the first at which it is there, each time it connects.
func TestFallback(t *testing.T) {
	dir, port := reachable(t, `{"type":"tcp","port":%d,"fallback":["unix"]}`)
	tcp, local := fmt.Sprintf("tcp:127.0.0.1:%d", port), serviceAddress(t, "reachable")
	var c *ipc.Client
	calls := func(at string) {
		t.Helper()
		if c == nil {
			c = dialName(t, dir)
		}
		if _, err := c.Call(t.Context(), "echo", 1); err != nil {
			t.Errorf("at %s: %v", at, err)
		}
		if got := c.Address(); got != at {
			t.Errorf("connected to %s, want %s", got, at)
		}
	}
	for _, way := range []struct {
		serve []string
		at    string
	}{{nil, tcp}, {[]string{local}, local}, {[]string{tcp}, tcp}} {
		reached, stop := serveManifest(t, dir, quiet, way.serve...)
		if way.serve == nil && fmt.Sprint(reached) != fmt.Sprint([]string{tcp, local}) {
			t.Errorf("served at %v", reached)
		}
		calls(way.at)
		stop()
	}
	_, err := c.Call(t.Context(), "echo", 1)
	if ipc.CodeOf(err) != ipc.CodeServiceUnavailable || !strings.Contains(err.Error(), tcp) {
		t.Errorf("with nobody there: %v", err)
	}
	tried := fmt.Sprint(detailsOf(t, err).More["tried"])
	if !strings.Contains(tried, tcp) || !strings.Contains(tried, local) {
		t.Errorf("tried, it says: %s", tried)
	}
}

// TestWithoutAFallback: a fallback that cannot be served is told of, and
// missing.
func TestWithoutAFallback(t *testing.T) {
	dir, port := reachable(t, `{"type":"unix","port":%d,"fallback":["tcp"]}`)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var log strings.Builder
	reached, stop := serveManifest(t, dir, slog.New(slog.NewTextHandler(io.Writer(&log), nil)))
	stop()
	if len(reached) != 1 || !strings.Contains(log.String(), fmt.Sprint(port)) {
		t.Errorf("served at %v, and the log says %q", reached, log.String())
	}
}

func dialName(t *testing.T, dir string) *ipc.Client {
	t.Helper()
	return dial(t, "reachable", &ipc.ClientOptions{Dirs: []string{dir}, MaxRetries: -1})
}
