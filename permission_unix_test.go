//go:build unix

package ipc_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ekkojs/ipc"
)

// TestNoPermissionIsSaidSo dials, as root or not, what nobody may open.
func TestNoPermissionIsSaidSo(t *testing.T) {
	if os.Geteuid() == 0 {
		out, err := as(t, 1000, "TestNoPermissionIsSaidSo")
		if err != nil {
			t.Errorf("as another user: %v\n%s", err, out)
		}
		return
	}
	_, err := ipc.Dial(t.Context(), "unix:/root/service.sock", nil)
	if ipc.CodeOf(err) != ipc.CodePermissionDenied {
		t.Errorf("got %v", err)
	}
}

// as runs one test of this binary as another user.
func as(t *testing.T, uid uint32, test string) (output []byte, err error) {
	t.Helper()
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "as") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "test")
	if err := os.WriteFile(binary, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-test.run", "^"+test+"$", "-test.count", "1")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return cmd.CombinedOutput()
}
