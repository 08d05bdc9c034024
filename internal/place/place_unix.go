//go:build unix

package place

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Check walks down to dir, an absolute path. Each directory on the way has to
// belong to this user or to root and to be writable by nobody else, else its
// owner could have another one put in place of the next. It follows only such
// links as root alone can have made (/var/run).
func (r Rule) Check(dir string) error {
	at, above, todo := "/", fs.FileMode(0), steps(dir)
	if r.Alone {
		at, todo = dir, nil
	}
	for links := 0; ; {
		st, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) && r.Create {
			st, err = r.make(at)
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
		if why := r.fault(st, len(todo) == 0); why != "" {
			return &Fault{at, why}
		}
		if len(todo) == 0 {
			return nil
		}
		above = st.Mode()
		at, todo = filepath.Join(at, todo[0]), todo[1:]
	}
}

// steps splits a path into the names of its directories.
func steps(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// fault says what is wrong with a directory, if anything.
func (r Rule) fault(st fs.FileInfo, last bool) string {
	mode, owner := st.Mode(), ownerOf(st)
	mine := owner == uint32(os.Geteuid())
	switch {
	case mode&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case !mode.IsDir():
		return "is not a directory"
	case !mine && (last || !rootOwns(owner)):
		return fmt.Sprintf("belongs to user %d", owner)
	case last && r.Private && mode&0o077 != 0:
		return fmt.Sprintf("is open to others (mode %04o, want 0700)", mode.Perm())
	case mode&0o022 == 0:
		return ""
	case last || mode&fs.ModeSticky == 0:
		return fmt.Sprintf("can be written by others (mode %04o)", mode.Perm())
	case !r.Shared:
		return "is a place where everybody may put things"
	}
	return ""
}

// make makes one directory, whatever the umask.
func (r Rule) make(path string) (fs.FileInfo, error) {
	err := os.Mkdir(path, 0o700)
	if err == nil {
		err = os.Chmod(path, 0o700)
	}
	if err == nil && r.Durable {
		err = Sync(filepath.Dir(path))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.Lstat(path) // somebody may have been quicker
}

// Sync makes certain what names are in a directory.
func Sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	d.Close()
	return err
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
	return uid == 0 || uid == OverflowUID() && inUserNamespace()
}
