package ipc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ekkojs/ipc"
)

// TestSharedMemoryByManifest: a service whose manifest asks for shared memory
// is found, called and heard by its name, as any other.
func TestSharedMemoryByManifest(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("EKKO_IPC_RUNTIME_DIR", dir)
	text := strings.Replace(manifestText, `{"type": "auto", "address": "fixture"}`, `{"type": "shm"}`, 1)
	if err := os.WriteFile(filepath.Join(dir, "fixture.ekko.ipc.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	caller := make(chan ipc.Caller, 1)
	at := make(chan []string, 1)
	s := ipc.NewService(parse(t, text), &ipc.ServiceOptions{
		Logger: quiet,
		Ready:  func(addresses []string) { at <- addresses },
		Admit: func(c ipc.Caller) bool {
			select {
			case caller <- c:
			default:
			}
			return true
		},
	})
	s.Handle("echo", func(_ context.Context, r *ipc.Request) (any, error) {
		args, err := r.Args()
		if err != nil {
			return nil, err
		}
		return args[0], nil
	})
	defer serveByManifest(t, s)()
	if got, want := <-at, []string{"shm:" + filepath.Join(dir, "fixture.shm")}; !slices.Equal(got, want) {
		t.Errorf("the service is at %q, want %q", got, want)
	}
	c := dial(t, "fixture", &ipc.ClientOptions{Dirs: []string{dir}})
	events, err := c.Subscribe(t.Context(), "user.created", nil)
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for i := range 64 {
		callers.Go(func() {
			// Some are longer than the ring, all of them together many times.
			want, _ := json.Marshal(bytes.Repeat([]byte{byte('a' + i)}, i*i*100))
			got, err := c.Call(t.Context(), "echo", ipc.Raw(want))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("call %d: %d bytes instead of %d, %v", i, len(got), len(want), err)
			}
		})
	}
	callers.Wait()
	for i := range 100 {
		if err := s.Publish(t.Context(), "user.created", map[string]any{"id": i}); err != nil {
			t.Fatal(err)
		}
		if e, err := events.Next(t.Context()); err != nil || string(e.Data) != fmt.Sprintf(`{"id":%d}`, i) {
			t.Fatalf("event %d: %v, %v", i, e, err)
		}
	}
	if who := <-caller; !isMe(who.Known, who.UID, who.SID) || who.PID != int32(os.Getpid()) {
		t.Errorf("the caller is %+v", who)
	}
}

// serveByManifest runs s where its manifest says.
func serveByManifest(t *testing.T, s *ipc.Service) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	select {
	case <-s.Ready():
	case err := <-served:
		cancel()
		t.Fatalf("Serve: %v", err)
	}
	return func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}
