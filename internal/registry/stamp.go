package registry

import (
	"io/fs"
	"os"
	"time"
)

// stamp tells one state of a file or directory from another without reading
// it. The zero stamp is that of nothing.
type stamp struct {
	mode     fs.FileMode
	size     int64
	modified int64 // ns
	identity identity
}

// identity is what only the system's own record tells.
type identity struct {
	device, inode uint64
	changed       int64 // when mode, owner or content last changed, ns
	uid, gid      uint32
}

// freshness is how old a change must be for the next one to be certain to
// show in the times: file systems count them in steps of up to two seconds.
const freshness = 2 * time.Second

// look returns the stamp of what is at path, following links.
func look(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stampOf(info), nil
}

func stampOf(info fs.FileInfo) stamp {
	return stamp{
		mode:     info.Mode(),
		size:     info.Size(),
		modified: info.ModTime().UnixNano(),
		identity: identityOf(info),
	}
}

// settled reports whether a state read at that time can be told from any
// later one by its stamp, if a change shows after that long.
func (s stamp) settled(read time.Time, freshness time.Duration) bool {
	last := max(s.modified, s.identity.changed)
	return read.UnixNano()-last > int64(freshness)
}
