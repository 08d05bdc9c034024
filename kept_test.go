package ipc_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store/disk"
)

// keptText is a service with channels on disk.
const keptText = `{
  "service": {"name": "kept", "version": "1.0.0"},
  "methods": {"echo": {"parameters": [{"name": "value", "type": "any"}]}},
  "events": {"tick": {}, "ledger.paid": {}},
  "channels": {
    "ledger": {"type": "topic", "events": ["ledger.*"], "persistent": true},
    "jobs": {"type": "queue", "persistent": true},
    "news": {"type": "broadcast"},
    "errands": {"type": "queue"}
  }
}`

// newKept returns that service, on the store in a directory. Close ends what
// serve does not.
func newKept(t testing.TB, dir string) (s *ipc.Service, closeStore func()) {
	t.Helper()
	kept, err := disk.Open(filepath.Join(dir, "logs"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s = ipc.NewService(parse(t, keptText), &ipc.ServiceOptions{Store: kept, Logger: quiet})
	ipc.Handle(s, "echo", func(_ context.Context, v any) (any, error) { return v, nil })
	return s, func() {
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	}
}

// startKept serves it until stop is called or the test ends.
func startKept(t testing.TB, dir, address string) (s *ipc.Service, stop func()) {
	t.Helper()
	s, closeStore := newKept(t, dir)
	end := serveAt(t, s, address)
	stop = sync.OnceFunc(func() {
		end()
		closeStore()
	})
	t.Cleanup(stop)
	return s, stop
}
