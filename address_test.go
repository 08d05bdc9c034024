package ipc_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ekkojs/ipc"
)

// TestAddressesThatCannotBeServed asks both ends for what no socket can do.
func TestAddressesThatCannotBeServed(t *testing.T) {
	for _, x := range []struct {
		address string
		code    ipc.Code
	}{
		{"unix:/" + strings.Repeat("x", 200), ipc.CodeInvalidArgument},
		{"unix:@abstract", ipc.CodeInvalidArgument},
		{"unix:relative.sock", ipc.CodeInvalidArgument},
		{"carrier-pigeon:home", ipc.CodeInvalidArgument},
		{"tcp:192.0.2.1:7000", "TRANSPORT_UNSUPPORTED"},
	} {
		err := newFixture(&ipc.ServiceOptions{Logger: quiet}).Serve(t.Context(), x.address)
		if ipc.CodeOf(err) != x.code {
			t.Errorf("serve %.40s: got %v, want %s", x.address, err, x.code)
		}
		_, err = ipc.Dial(t.Context(), x.address, nil)
		if ipc.CodeOf(err) != x.code {
			t.Errorf("dial %.40s: got %v, want %s", x.address, err, x.code)
		}
	}
}

func TestTwoServicesAtOneAddress(t *testing.T) {
	address, _ := start(t, nil)
	err := newFixture(&ipc.ServiceOptions{Logger: quiet}).Serve(t.Context(), address)
	if ipc.CodeOf(err) != "NAME_TAKEN" {
		t.Errorf("got %v", err)
	}
	c := dial(t, address, nil)
	if _, err := c.Call(t.Context(), "echo", 1); err != nil {
		t.Errorf("the first one was disturbed: %v", err)
	}
}

func TestF01_ServiceRefusesADirectoryThatOthersWrite(t *testing.T) {
	notOnWindows(t, "a socket in a directory")
	dir := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	err := newFixture(&ipc.ServiceOptions{Logger: quiet}).Serve(t.Context(), "unix:"+filepath.Join(dir, "s.sock"))
	if ipc.CodeOf(err) != ipc.CodePermissionDenied || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
}

func TestTCPCallersNeedToBeAdmitted(t *testing.T) {
	s := newFixture(&ipc.ServiceOptions{Logger: quiet})
	address := tcpAddress(t)
	defer serveAt(t, s, address)()
	c := dial(t, address, nil)
	if _, err := c.Call(t.Context(), "echo", 1); ipc.CodeOf(err) != ipc.CodeUnauthenticated {
		t.Errorf("a caller whom nobody knows got %v", err)
	}

	open := newFixture(&ipc.ServiceOptions{Logger: quiet, Admit: func(ipc.Caller) bool { return true }})
	address = tcpAddress(t)
	defer serveAt(t, open, address)()
	c = dial(t, address, nil)
	if _, err := c.Call(t.Context(), "echo", 1); err != nil {
		t.Error(err)
	}
}

// tcpAddress returns an address on loopback that was free a moment ago.
func tcpAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "tcp:" + l.Addr().String()
}

func TestConnectionsAboveTheLimitAreTurnedAway(t *testing.T) {
	address, _ := start(t, &ipc.ServiceOptions{MaxConnections: 2})
	one, two := dial(t, address, nil), dial(t, address, nil)
	for _, c := range []*ipc.Client{one, two} {
		if _, err := c.Call(t.Context(), "echo", 1); err != nil {
			t.Fatal(err)
		}
	}
	three := dial(t, address, nil)
	_, err := three.Call(t.Context(), "echo", 1)
	var e *ipc.Error
	if !errors.As(err, &e) || e.Code != "QUOTA_EXCEEDED" || e.Details.Executed != ipc.ExecutedNo {
		t.Errorf("got %v", err)
	}
	if _, err := one.Call(t.Context(), "echo", 1); err != nil {
		t.Errorf("the others were disturbed: %v", err)
	}
}

// TestConnectionsOfTheManifest: it says how many there may be, unless the
// program does.
func TestConnectionsOfTheManifest(t *testing.T) {
	m := parse(t, strings.Replace(manifestText, `"type": "auto"`, `"type": "auto", "maxConnections": 1`, 1))
	for _, limit := range []struct{ option, want int }{{0, 1}, {2, 2}} {
		s := ipc.NewService(m, &ipc.ServiceOptions{Logger: quiet, MaxConnections: limit.option})
		address := serve(t, s)
		for i := range limit.want + 1 {
			_, err := dial(t, address, nil).Call(t.Context(), "ipc.ping")
			if refused := ipc.CodeOf(err) == "QUOTA_EXCEEDED"; refused != (i == limit.want) {
				t.Errorf("client %d of at most %d: %v", i+1, limit.want, err)
			}
		}
	}
}
