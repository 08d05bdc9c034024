package ipc_test

import (
	"context"
	"os/exec"
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
    "archive": {"type": "topic", "persistent": true, "retention": {"maxSize": 1073741824}},
    "jobs": {"type": "queue", "persistent": true, "retention": {"maxSize": 1073741824}},
    "news": {"type": "broadcast"},
    "errands": {"type": "queue"}
  }
}`

// keptEnv makes a service process that of newKept, on the store in the
// directory it holds.
const keptEnv = "EKKO_IPC_TEST_KEPT"

// newKept returns that service, on the store in a directory, which is to be
// closed after it.
func newKept(dir string, opts ipc.ServiceOptions) (*ipc.Service, *disk.Store, error) {
	m, err := ipc.ParseManifest([]byte(keptText))
	if err != nil {
		return nil, nil, err
	}
	kept, err := disk.Open(filepath.Join(dir, "logs"), nil)
	if err != nil {
		return nil, nil, err
	}
	opts.Store = kept
	s := ipc.NewService(m, &opts)
	ipc.Handle(s, "echo", func(_ context.Context, v any) (any, error) { return v, nil })
	return s, kept, nil
}

// startKept serves it until stop is called or the test ends.
func startKept(t testing.TB, dir, address string) (s *ipc.Service, stop func()) {
	t.Helper()
	s, kept, err := newKept(dir, ipc.ServiceOptions{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	end := serveAt(t, s, address)
	stop = sync.OnceFunc(func() {
		end()
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

// keptProcess starts the service of newKept in a process of its own.
func keptProcess(t *testing.T, dir, address string) *exec.Cmd {
	t.Helper()
	return itself(t, serveEnv+"="+address, keptEnv+"="+dir)
}
