//go:build unix

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// isFull reports whether an operation failed for want of space.
func isFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// isBroken reports whether the medium says that it cannot read.
func isBroken(err error) bool { return errors.Is(err, unix.EIO) }

// openPrivate opens a regular file of this user, and nothing else.
func openPrivate(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EISDIR), errors.Is(err, unix.ENXIO), errors.Is(err, unix.EMLINK):
		return nil, fmt.Errorf("%w: %s is not a regular file", errUntrusted, path)
	case err != nil:
		return nil, err
	}
	st, err := f.Stat()
	if err == nil {
		if why := fileFault(st); why != "" {
			err = fmt.Errorf("%w: %s %s", errUntrusted, path, why)
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func fileFault(st fs.FileInfo) string {
	s, _ := st.Sys().(*syscall.Stat_t)
	switch {
	case !st.Mode().IsRegular():
		return "is not a regular file"
	case s == nil || s.Uid != uint32(os.Geteuid()):
		return "belongs to somebody else"
	case s.Nlink > 1:
		return "has another name"
	case st.Mode()&0o022 != 0:
		return fmt.Sprintf("can be written by others (mode %04o)", st.Mode().Perm())
	}
	return ""
}

// syncDir makes certain what names are in a directory.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	d.Close()
	return err
}

// place walks down to dir. Each directory on the way has to belong to this
// user or to root, and to be writable by nobody else unless it is sticky, or
// its owner could put another one in place of the next. Only such links are
// followed as root alone can have made.
func (system) place(dir string, parents bool) error {
	at, above, todo := "/", fs.FileMode(0), steps(dir)
	if !parents {
		at, todo = dir, nil
	}
	for links := 0; ; {
		st, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			st, err = makeDir(at)
		}
		if err != nil {
			return err
		}
		if st.Mode()&fs.ModeSymlink != 0 && len(todo) > 0 && ownerOf(st) == 0 && above&0o022 == 0 && links < 40 {
			links++
			target, err := os.Readlink(at)
			if err != nil {
				return err
			}
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(at), target)
			}
			at, above, todo = "/", 0, append(steps(target), todo...)
			continue
		}
		if why := dirFault(st, len(todo) == 0); why != "" {
			return fmt.Errorf("%w: %s %s", errUntrusted, at, why)
		}
		if len(todo) == 0 {
			return nil
		}
		above = st.Mode()
		at, todo = filepath.Join(at, todo[0]), todo[1:]
	}
}

func steps(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// dirFault says what is wrong with a directory, if anything.
func dirFault(st fs.FileInfo, last bool) string {
	mode, owner := st.Mode(), ownerOf(st)
	mine := owner == uint32(os.Geteuid())
	switch {
	case mode&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case !mode.IsDir():
		return "is not a directory"
	case !mine && (last || !rootOwns(owner)):
		return fmt.Sprintf("belongs to user %d", owner)
	case mode&0o022 != 0 && (last || mode&fs.ModeSticky == 0):
		return fmt.Sprintf("can be written by others (mode %04o)", mode.Perm())
	}
	return ""
}

// makeDir makes one directory for this user only, whatever the umask, and
// makes certain that it is there.
func makeDir(path string) (fs.FileInfo, error) {
	err := os.Mkdir(path, 0o700)
	if err == nil {
		err = os.Chmod(path, 0o700)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.Lstat(path) // somebody may have been quicker
}

func ownerOf(st fs.FileInfo) uint32 {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return s.Uid
	}
	return ^uint32(0)
}

// rootOwns reports whether uid is root's. In a user namespace without a
// number for it, root appears as nobody.
func rootOwns(uid uint32) bool {
	if uid == 0 {
		return true
	}
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil || uid != 65534 {
		return false
	}
	return strings.Join(strings.Fields(string(text)), " ") != "0 0 4294967295"
}
