//go:build unix

package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/wire"
)

func TestASecondOneIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	_, err := Open(dir, nil)
	if wire.CodeOf(err) != wire.CodeStorageUnavailable || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Fatal(err)
	}
	s.Close()
	open(t, dir, nil)
}

// TestPlacesOfOthersAreRefused puts what others might put there in each place.
func TestPlacesOfOthersAreRefused(t *testing.T) {
	logDir := dirName("orders")
	for name, spoil := range map[string]func(dir string) error{
		"root is writable":    func(dir string) error { return os.Chmod(dir, 0o770) },
		"parent is writable":  func(dir string) error { return os.Chmod(filepath.Dir(dir), 0o777) },
		"root is a link":      func(dir string) error { return relink(dir) },
		"log is a link":       func(dir string) error { return relink(filepath.Join(dir, logDir)) },
		"log is writable":     func(dir string) error { return os.Chmod(filepath.Join(dir, logDir), 0o702) },
		"lock is a link":      func(dir string) error { return relink(filepath.Join(dir, "lock")) },
		"state is a link":     func(dir string) error { return relink(filepath.Join(dir, logDir, "state")) },
		"mark is a link":      func(dir string) error { return relink(filepath.Join(dir, logDir, "mark")) },
		"cursors is a link":   func(dir string) error { return relink(filepath.Join(dir, logDir, "cursors")) },
		"segment is a link":   func(dir string) error { return relink(filepath.Join(dir, logDir, segmentName(1))) },
		"segment is linked":   func(dir string) error { return os.Link(filepath.Join(dir, logDir, segmentName(1)), dir+".x") },
		"segment is writable": func(dir string) error { return os.Chmod(filepath.Join(dir, logDir, segmentName(1)), 0o666) },
		"segment is a pipe":   func(dir string) error { return repipe(filepath.Join(dir, logDir, segmentName(1))) },
		"segment is a directory": func(dir string) error {
			path := filepath.Join(dir, logDir, segmentName(1))
			os.Remove(path)
			return os.Mkdir(path, 0o700)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "parent", "logs")
			s := open(t, dir, nil)
			l := openOne(t, s, "orders", store.Limits{})
			mustAdd(t, l, numbered(1))
			l.SetCursor("c", []byte("x"))
			s.Close()
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir, nil)
			if err == nil {
				_, err = s.Log("orders", store.Limits{})
				s.Close()
			}
			if wire.CodeOf(err) != wire.CodePermissionDenied {
				t.Fatalf("error %v", err)
			}
		})
	}
}

// relink moves what is at path and puts a link to it there.
func relink(path string) error {
	if err := os.Rename(path, path+".moved"); err != nil {
		return err
	}
	return os.Symlink(path+".moved", path)
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	s := open(t, dir, nil)
	l := openOne(t, s, "orders", store.Limits{})
	mustAdd(t, l, numbered(1))
	l.SetCursor("c", []byte("x"))
	err := filepath.Walk(dir, func(path string, st os.FileInfo, err error) error {
		want := os.FileMode(0o600)
		if err == nil && st.IsDir() {
			want = os.ModeDir | 0o700
		}
		if err == nil && st.Mode() != want {
			err = fmt.Errorf("%s has mode %v", path, st.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func repipe(path string) error {
	os.Remove(path)
	return syscall.Mkfifo(path, 0o600)
}
