//go:build linux || openbsd || dragonfly || darwin || freebsd || netbsd

package registry

import (
	"io/fs"
	"os"
	"syscall"
)

func identityOf(info fs.FileInfo) identity {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{
		device:  uint64(st.Dev),
		inode:   uint64(st.Ino),
		changed: changed(st),
		uid:     st.Uid,
		gid:     st.Gid,
	}
}

// foreign reports whether what has the stamp belongs to somebody else than
// the user or root.
func (s stamp) foreign() bool {
	return s.identity.uid != 0 && int64(s.identity.uid) != int64(os.Geteuid())
}

// open reports whether others than its owner may write to what has the stamp.
func (s stamp) open() bool { return s.mode.Perm()&0o022 != 0 }
