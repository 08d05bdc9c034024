//go:build unix && !aix && !solaris

package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// claim is the right to a path in a directory where nobody else can put
// anything, and what its holder put there for clients to find.
//
// It is made beside the path, made private, and then renamed over what a dead
// process left there: a client finds the old one or the new one, never one
// that others may open and never none.
type claim struct {
	path     string
	kind     fileKind
	lock     *lockFile
	device   uint64 // with inode: which file at the path is ours
	inode    uint64
	vacating sync.Once
}

// fileKind is what is at an address.
type fileKind struct {
	mode uint32
	name string
}

var (
	aSocket = fileKind{unix.S_IFSOCK, "a socket"}
	aFIFO   = fileKind{unix.S_IFIFO, "a FIFO"}
)

func takeClaim(path string, kind fileKind) (*claim, error) {
	if err := checkPlace(path); err != nil {
		return nil, err
	}
	lock, err := takeLock(path + ".lock")
	if err != nil {
		return nil, err
	}
	c := &claim{path: path, kind: kind, lock: lock}
	// The name is ours by the lock; a process that was killed may have left
	// it.
	if err := removeOwn(c.beside(), kind); err != nil {
		c.vacate()
		return nil, err
	}
	return c, nil
}

// beside is where the file is made.
func (c *claim) beside() string { return c.path + "~" }

// taken reports whether there is something at the path; the error says why it
// may not be replaced.
func (c *claim) taken() (bool, error) {
	err := ownFile(c.path, c.kind)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return true, err
}

// protect gives what was made its mode.
func (c *claim) protect() error {
	made := c.beside()
	if err := os.Chmod(made, 0o600); err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(made, &st); err != nil {
		return fmt.Errorf("transport: lstat %s: %w", made, err)
	}
	c.device, c.inode = uint64(st.Dev), uint64(st.Ino)
	return nil
}

// place gives what was made its name.
func (c *claim) place() error {
	if err := os.Rename(c.beside(), c.path); err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	return nil
}

// vacate removes the file, if it still is the one that was made, and gives
// the lock up.
func (c *claim) vacate() {
	c.vacating.Do(func() {
		var st unix.Stat_t
		if unix.Lstat(c.path, &st) == nil && uint64(st.Dev) == c.device && uint64(st.Ino) == c.inode {
			os.Remove(c.path)
		}
		c.lock.release()
	})
}

// ownFile returns nil if a file of that kind and of this user is at path.
func ownFile(path string, kind fileKind) error {
	var st unix.Stat_t
	switch err := unix.Lstat(path, &st); {
	case err != nil:
		return &fs.PathError{Op: "lstat", Path: path, Err: err}
	case uint32(st.Mode)&unix.S_IFMT != kind.mode:
		return fmt.Errorf("%w: %s exists and is not %s", ErrUntrustedPath, path, kind.name)
	case st.Uid != uint32(os.Geteuid()):
		return fmt.Errorf("%w: %s belongs to user %d", ErrUntrustedPath, path, st.Uid)
	}
	return nil
}

// removeOwn removes a file of that kind and of this user, if there is one.
func removeOwn(path string, kind fileKind) error {
	err := ownFile(path, kind)
	if err == nil {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
