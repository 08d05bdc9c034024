package ipc_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/wire"
)

// impostor listens at a socket as another user, in a directory of ours.
func impostor(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can act as another user")
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const same, stranger = ^uintptr(0), 1000
	become := func(euid uintptr) { // this thread, and no other
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, same, euid, same); errno != 0 {
			t.Fatal(errno)
		}
	}
	become(stranger)
	err = unix.Listen(fd, 1)
	become(0)
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoFallbackFromAnImpostor: an address that somebody else serves is not
// passed over for the next one.
func TestNoFallbackFromAnImpostor(t *testing.T) {
	dir, _ := reachable(t, `{"type":"unix","port":%d,"fallback":["tcp"]}`)
	_, stop := serveManifest(t, dir, quiet)
	defer stop()
	path := filepath.Join(dir, "reachable.sock")
	if err := os.Rename(path, path+".real"); err != nil {
		t.Fatal(err)
	}
	impostor(t, path)
	c, err := ipc.Dial(t.Context(), "reachable", &ipc.ClientOptions{Dirs: []string{dir}})
	if err == nil {
		c.Close()
	}
	if ipc.CodeOf(err) != wire.CodeUntrustedPeer {
		t.Errorf("got %v", err)
	}
}
