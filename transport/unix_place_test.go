//go:build unix

package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ekkojs/ipc/transport"
)

// tree describes everything below dir: what must not change.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		sys := st.Sys().(*syscall.Stat_t)
		fmt.Fprintf(&b, "%s %v %d %d %d", path, st.Mode(), sys.Uid, sys.Ino, sys.Nlink)
		switch {
		case st.Mode().IsRegular():
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", text)
		case st.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " -> %s", target)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// traps are what an attacker may have put where we want a directory. owned
// ones become his.
var traps = map[string]func(t *testing.T, path string){
	"directory of another user": func(t *testing.T, path string) {
		must(t, os.Mkdir(path, 0o700))
		must(t, os.Lchown(path, stranger, stranger))
	},
	"directory that all may write": func(t *testing.T, path string) {
		must(t, os.Mkdir(path, 0o700))
		must(t, os.Chmod(path, 0o777))
	},
	"directory that a group may write": func(t *testing.T, path string) {
		must(t, os.Mkdir(path, 0o700))
		must(t, os.Chmod(path, 0o770))
	},
	"file": func(t *testing.T, path string) {
		must(t, os.WriteFile(path, []byte("precious"), 0o600))
		must(t, os.Lchown(path, stranger, stranger))
	},
	"link": func(t *testing.T, path string) {
		aim := filepath.Join(filepath.Dir(path), "aim")
		must(t, os.Mkdir(aim, 0o700))
		must(t, os.Symlink(aim, path))
		must(t, os.Lchown(path, stranger, stranger))
	},
	"dangling link": func(t *testing.T, path string) {
		must(t, os.Symlink(filepath.Join(filepath.Dir(path), "nothing"), path))
		must(t, os.Lchown(path, stranger, stranger))
	},
	"pipe": func(t *testing.T, path string) {
		must(t, syscall.Mkfifo(path, 0o600))
		must(t, os.Lchown(path, stranger, stranger))
	},
	"socket": func(t *testing.T, path string) {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		must(t, err)
		l.SetUnlinkOnClose(false)
		must(t, l.Close())
		must(t, os.Lchown(path, stranger, stranger))
	},
}

func TestF01_DirectoriesInTheWay(t *testing.T) {
	needRoot(t)
	parts := []string{"a", "b", "c", "d"}
	for name, set := range traps {
		for i := range parts {
			t.Run(fmt.Sprintf("%s at %s", name, parts[i]), func(t *testing.T) {
				base := shortDir(t)
				must(t, os.MkdirAll(filepath.Join(append([]string{base}, parts[:i]...)...), 0o700))
				set(t, filepath.Join(append([]string{base}, parts[:i+1]...)...))
				dir := filepath.Join(append([]string{base}, parts...)...)
				t.Setenv(transport.RuntimeDirEnv, dir)
				before := tree(t, base)

				if _, err := transport.RuntimeDir(); !errors.Is(err, transport.ErrUntrustedPath) {
					t.Errorf("RuntimeDir: got %v, want ErrUntrustedPath", err)
				}
				l, err := transport.Listen(t.Context(), "unix:"+filepath.Join(dir, "s"), nil)
				if err == nil {
					l.Close()
					t.Error("Listen succeeded")
				}
				if after := tree(t, base); after != before {
					t.Errorf("the tree changed:\n%s\nbecame\n%s", before, after)
				}
			})
		}
	}
}

// TestF01_SocketInTheWay has the trap at the socket's own path, and at those
// of the files beside it.
func TestF01_SocketInTheWay(t *testing.T) {
	needRoot(t)
	for _, way := range localWays {
		if _, path, _ := strings.Cut(way.address(t), ":"); filepath.IsAbs(path) {
			t.Run(way.name, func(t *testing.T) { inTheWay(t, way.name) })
		}
	}
}

func inTheWay(t *testing.T, scheme string) {
	for _, suffix := range []string{"", "~", ".lock"} {
		for name, set := range traps {
			t.Run(name+" at s"+suffix, func(t *testing.T) {
				base := shortDir(t)
				path := filepath.Join(base, "s")
				set(t, path+suffix)
				before := tree(t, base)
				l, err := transport.Listen(t.Context(), scheme+":"+path, nil)
				if err == nil {
					l.Close()
				}
				if !errors.Is(err, transport.ErrUntrustedPath) {
					t.Errorf("got %v, want ErrUntrustedPath", err)
				}
				if after := tree(t, base); after != before {
					t.Errorf("the tree changed:\n%s\nbecame\n%s", before, after)
				}
			})
		}
	}
}

func TestF01_NoPlaceForEverybody(t *testing.T) {
	t.Setenv(transport.RuntimeDirEnv, "")
	base := shortDir(t) // in /tmp
	t.Setenv("XDG_RUNTIME_DIR", base)
	before := tree(t, base)
	if dir, err := transport.RuntimeDir(); !errors.Is(err, transport.ErrUntrustedPath) || !strings.Contains(err.Error(), transport.RuntimeDirEnv) {
		t.Errorf("got %q, %v, want ErrUntrustedPath and the way out", dir, err)
	}
	if after := tree(t, base); after != before {
		t.Errorf("the tree changed: %s", after)
	}
	if _, err := transport.Listen(t.Context(), "unix:/tmp/ekko-test.sock", nil); !errors.Is(err, transport.ErrUntrustedPath) {
		t.Errorf("a socket in /tmp itself: got %v, want ErrUntrustedPath", err)
	}
	t.Setenv(transport.RuntimeDirEnv, filepath.Join(base, "insist"))
	if dir, err := transport.RuntimeDir(); err != nil || dir != filepath.Join(base, "insist") {
		t.Errorf("got %q, %v", dir, err)
	}
}

func TestF01_RuntimeDirIsMade(t *testing.T) {
	t.Setenv(transport.RuntimeDirEnv, "")
	t.Setenv("XDG_RUNTIME_DIR", "")
	home := shortDir(t)
	t.Setenv("HOME", home)
	dir, err := transport.RuntimeDir()
	must(t, err)
	if !strings.HasPrefix(dir, "/run/user/") && dir != filepath.Join(home, ".ekko", "run") {
		t.Errorf("got %s", dir)
	}
	st, err := os.Lstat(dir)
	must(t, err)
	if st.Mode() != fs.ModeDir|0o700 {
		t.Errorf("%s has mode %v", dir, st.Mode())
	}
	t.Setenv(transport.RuntimeDirEnv, "relative")
	if _, err := transport.RuntimeDir(); !errors.Is(err, transport.ErrInvalidAddress) {
		t.Errorf("a relative directory: got %v", err)
	}
}

// TestF01_RootsLinks: some systems have links such as /var/run on the way,
// which only root can have made.
func TestF01_RootsLinks(t *testing.T) {
	needRoot(t)
	base := shortDir(t)
	must(t, os.MkdirAll(filepath.Join(base, "real", "deep"), 0o700))
	must(t, os.Symlink("real", filepath.Join(base, "link")))
	l, err := transport.Listen(t.Context(), "unix:"+filepath.Join(base, "link", "deep", "s"), nil)
	must(t, err)
	must(t, l.Close())

	must(t, os.Symlink("loop", filepath.Join(base, "loop")))
	for _, path := range []string{
		filepath.Join(base, "loop", "s"),
		filepath.Join(base, "link", "s"), // not for the last one
	} {
		if _, err := transport.Listen(t.Context(), "unix:"+path, nil); !errors.Is(err, transport.ErrUntrustedPath) {
			t.Errorf("%s: got %v, want ErrUntrustedPath", path, err)
		}
	}
}

func TestF02_LockFileIsNoLink(t *testing.T) {
	base := shortDir(t)
	victim := filepath.Join(base, "victim")
	must(t, os.WriteFile(victim, []byte("precious"), 0o600))
	for name, link := range map[string]func(string, string) error{"symbolic": os.Symlink, "hard": os.Link} {
		path := filepath.Join(base, name)
		must(t, link(victim, path+".lock"))
		if _, err := transport.Listen(t.Context(), "unix:"+path, nil); !errors.Is(err, transport.ErrUntrustedPath) {
			t.Errorf("%s link: got %v, want ErrUntrustedPath", name, err)
		}
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
		t.Errorf("the victim became %q, %v", text, err)
	}
}

func TestF03_ModesWhateverTheUmask(t *testing.T) {
	// In process: no other test runs at the same time.
	for _, umask := range []int{0, 0o002, 0o022, 0o027, 0o077, 0o777} {
		t.Run(fmt.Sprintf("%03o", umask), func(t *testing.T) {
			base := shortDir(t)
			must(t, os.Chmod(base, 0o755))
			t.Setenv(transport.RuntimeDirEnv, filepath.Join(base, "x", "run"))
			old := syscall.Umask(umask)
			defer syscall.Umask(old)
			path, err := transport.SocketPath("service")
			must(t, err)
			open := listenFor(t, "unix:"+filepath.Join(base, "open"), nil)
			l := listenFor(t, "unix:"+path, nil)
			syscall.Umask(old)
			for path, want := range map[string]fs.FileMode{
				filepath.Join(base, "x"):         fs.ModeDir | 0o700,
				filepath.Join(base, "x", "run"):  fs.ModeDir | 0o700,
				path:                             fs.ModeSocket | 0o600,
				path + ".lock":                   0o600,
				filepath.Join(base, "open"):      fs.ModeSocket | 0o600,
				filepath.Join(base, "open.lock"): 0o600,
			} {
				if st, err := os.Lstat(path); err != nil || st.Mode() != want {
					t.Errorf("%s: got %v, %v, want %v", path, st.Mode(), err, want)
				}
			}
			if os.Geteuid() != 0 {
				return
			}
			for _, l := range []transport.Listener{open, l} {
				sendOut(t, as(stranger), "dial", l.Addr()).expect("permission denied")
			}
		})
	}
}

func init() {
	// dial connects and says how that went.
	errands["dial"] = func(args []string) int {
		_, err := transport.Dial(context.Background(), args[0], nil)
		switch {
		case err == nil:
			fmt.Println("connected")
		case errors.Is(err, transport.ErrUntrustedPeer):
			fmt.Println("untrusted peer")
		case errors.Is(err, fs.ErrPermission):
			fmt.Println("permission denied")
		default:
			fmt.Println(err)
		}
		return 0
	}
}
