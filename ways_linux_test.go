package ipc_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ekkojs/ipc"
)

// TestTransportOfTheManifest serves and calls by the transport that a manifest
// asks for, with nothing but the service's name.
func TestTransportOfTheManifest(t *testing.T) {
	for _, way := range []struct{ transport, address string }{
		{`{"type": "fifo"}`, "fifo:$DIR/works.fifo"},
		{`{"type": "messagequeue", "address": "works-$PID"}`, "mq:works-$PID"}, // a user's processes share names
	} {
		told := strings.NewReplacer("$PID", fmt.Sprint(pid()))
		text := fmt.Sprintf(`{
			"service": {"name": "works", "version": "1.0.0", "transport": %s},
			"methods": {"echo": {"parameters": [{"name": "value", "type": "any"}]}}
		}`, told.Replace(way.transport))
		dir, _ := manifestDir(t, text)

		s := ipc.NewService(parse(t, text), &ipc.ServiceOptions{Logger: quiet})
		ipc.Handle(s, "echo", func(_ context.Context, value any) (any, error) { return value, nil })
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx) }()
		select {
		case <-s.Ready():
		case err := <-served:
			t.Fatalf("%s: Serve: %v", way.transport, err)
		}

		c := dial(t, "works", &ipc.ClientOptions{Dirs: []string{dir}})
		if got, want := c.Resolution().Address, strings.ReplaceAll(told.Replace(way.address), "$DIR", dir); got != want {
			t.Errorf("found at %s, want %s", got, want)
		}
		for _, n := range []int{0, 100, 5000, 300_000} {
			want := strings.Repeat("x", n)
			if got, err := ipc.Call[string](t.Context(), c, "echo", want); err != nil || got != want {
				t.Errorf("%s: %d bytes came back as %d, %v", way.transport, n, len(got), err)
			}
		}
		stop()
		if err := <-served; err != nil {
			t.Errorf("%s: Serve: %v", way.transport, err)
		}
	}
}

// TestAutoTakesMemory: a service that says nothing of it, and a client that
// asks for its name, share memory where both can, and else do with the socket.
func TestAutoTakesMemory(t *testing.T) {
	dir, _ := reachable(t, `{"type":"auto","port":%d}`)
	at := func(name string) string { return filepath.Join(dir, "reachable."+name) }
	reached, stop := serveManifest(t, dir, quiet)
	if want := []string{"unix:" + at("sock"), "shm:" + at("shm")}; !slices.Equal(reached, want) {
		t.Errorf("served at %q, want %q", reached, want)
	}
	calls := func(address string) {
		t.Helper()
		c := dialName(t, dir)
		if _, err := c.Call(t.Context(), "echo", 1); err != nil {
			t.Error(err)
		}
		if got := c.Address(); got != address {
			t.Errorf("connected to %s, want %s", got, address)
		}
	}
	calls("shm:" + at("shm"))
	if err := os.Remove(at("shm")); err != nil {
		t.Fatal(err)
	}
	calls("unix:" + at("sock"))
	stop()
	_, stop = serveManifest(t, dir, quiet, "unix:"+at("sock")) // a service that has none to offer
	calls("unix:" + at("sock"))
	stop()
	if err := os.WriteFile(at("shm"), nil, 0o600); err != nil { // something else: clients would go there
		t.Fatal(err)
	}
	m, err := ipc.LoadManifest(at("ekko.ipc.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := ipc.NewService(m, &ipc.ServiceOptions{Logger: quiet}).Serve(t.Context()); ipc.CodeOf(err) != ipc.CodePermissionDenied {
		t.Errorf("with somebody at the memory's address: %v", err)
	}
}

// TestF07_WhoFindsSomebodyElseAtTheFIFOIsTold: both ends are told that others
// could be there.
func TestF07_WhoFindsSomebodyElseAtTheFIFOIsTold(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	address := "fifo:" + filepath.Join(dir, "f")
	if _, err := ipc.Dial(t.Context(), address, nil); ipc.CodeOf(err) != "UNTRUSTED_PEER" {
		t.Errorf("Dial: got %v", err)
	}
	if err := newFixture(&ipc.ServiceOptions{Logger: quiet}).Serve(t.Context(), address); ipc.CodeOf(err) != ipc.CodePermissionDenied {
		t.Errorf("Serve: got %v", err)
	}
}
