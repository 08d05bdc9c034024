//go:build !linux

package transport_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

func TestShmIsNotHere(t *testing.T) {
	address := "shm:" + filepath.Join(os.TempDir(), "x.shm")
	_, listened := transport.Listen(t.Context(), address, nil)
	_, dialled := transport.Dial(t.Context(), address, nil)
	for _, err := range []error{listened, dialled} {
		if !errors.Is(err, transport.ErrUnsupported) || !strings.Contains(err.Error(), "unix:") {
			t.Errorf("got %v", err)
		}
	}
}
