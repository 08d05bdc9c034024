//go:build unix

package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// openFile opens without waiting, as opening a pipe would.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
}

// trusted reports why a file cannot be trusted to be its owner's word.
func trusted(info os.FileInfo, path string) error {
	if err := ownedByUs(info, path); err != nil {
		return err
	}
	if perm := info.Mode().Perm(); perm&0o022 != 0 {
		return fmt.Errorf("%w: %s may change it (mode %04o): run chmod go-w %q", ErrUntrusted, writers(perm), perm, path)
	}
	return nil
}

func ownedByUs(info os.FileInfo, path string) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%w: its owner cannot be told", ErrUntrusted)
	}
	uid := os.Geteuid()
	if st.Uid == 0 || int64(st.Uid) == int64(uid) {
		return nil
	}
	return fmt.Errorf("%w: it belongs to uid %d, neither to you (uid %d) nor to root: if you trust what it says, make it yours with chown %d %q",
		ErrUntrusted, st.Uid, uid, uid, path)
}

// writers names those who may write beside the owner.
func writers(perm os.FileMode) string {
	switch perm & 0o022 {
	case 0o020:
		return "its group"
	case 0o002:
		return "everybody"
	}
	return "its group and everybody"
}

// CheckDir reports whether a directory, and each one above it, can be written
// by nobody but the caller and root, so that no one else can put or exchange a
// file there. A directory that others may write is accepted above dir if its
// sticky bit keeps them from touching what is not theirs, as in /tmp. The
// error matches [ErrUntrusted] and says what to do.
//
// On Windows it always succeeds.
func CheckDir(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	// What a link leads to is where the files are.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if err := checkOneDir(at, at != dir); err != nil {
			return err
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

func checkOneDir(path string, above bool) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: %w: it is %s, not a directory", path, ErrUntrusted, fileKind(info.Mode()))
	}
	if err := ownedByUs(info, path); err != nil {
		return fmt.Errorf("directory %s: %w", path, err)
	}
	perm := info.Mode().Perm()
	if perm&0o022 == 0 || above && info.Mode()&os.ModeSticky != 0 {
		return nil
	}
	return fmt.Errorf("directory %s: %w: %s may change it (mode %04o): run chmod go-w %q", path, ErrUntrusted, writers(perm), perm, path)
}
