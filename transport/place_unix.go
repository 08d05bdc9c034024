//go:build unix

package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// place says what a directory for sockets has to be like.
type place struct {
	create  bool // make what is missing, for this user only
	private bool // the directory must be closed to others, not just safe
	shared  bool // a directory above it may be everybody's, if sticky as /tmp is
}

// checkPlace makes sure that nobody else can decide what is at a socket's
// path.
func checkPlace(socket string) error {
	return place{shared: true}.check(filepath.Dir(socket))
}

// check walks down to dir. Each directory on the way has to belong to this
// user or to root and to be writable by nobody else, else its owner could
// have another one put in place of the next. It follows only such links as
// root alone can have made (/var/run).
func (p place) check(dir string) error {
	todo := steps(dir)
	at, above := "/", fs.FileMode(0)
	for links := 0; ; {
		st, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) && p.create {
			st, err = makeDir(at)
		}
		if err != nil {
			return fmt.Errorf("transport: directory for sockets: %w", err)
		}
		if st.Mode()&fs.ModeSymlink != 0 && len(todo) > 0 && ownerOf(st) == 0 && above&0o022 == 0 && links < 40 {
			links++
			target, err := os.Readlink(at)
			if err != nil {
				return fmt.Errorf("transport: directory for sockets: %w", err)
			}
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(at), target)
			}
			todo = append(steps(target), todo...)
			at, above = "/", 0
			continue
		}
		if why := p.fault(st, len(todo) == 0); why != "" {
			return fmt.Errorf("%w: %s %s", ErrUntrustedPath, at, why)
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
func (p place) fault(st fs.FileInfo, last bool) string {
	mode, owner := st.Mode(), ownerOf(st)
	mine := owner == uint32(os.Geteuid())
	switch {
	case mode&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case !mode.IsDir():
		return "is not a directory"
	case !mine && (last || !rootOwns(owner)):
		return fmt.Sprintf("belongs to user %d", owner)
	case last && p.private && mode&0o077 != 0:
		return fmt.Sprintf("is open to others (mode %04o, want 0700)", mode.Perm())
	case mode&0o022 == 0:
		return ""
	case last || mode&fs.ModeSticky == 0:
		return fmt.Sprintf("can be written by others (mode %04o)", mode.Perm())
	case !p.shared:
		return "is a place where everybody may put things"
	}
	return ""
}

// makeDir makes one directory, whatever the umask.
func makeDir(path string) (fs.FileInfo, error) {
	err := os.Mkdir(path, 0o700)
	if err == nil {
		err = os.Chmod(path, 0o700)
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
	return uid == 0 || uid == overflowUID() && inUserNamespace()
}
