package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ekkojs/ipc/manifest"
)

// suffix is how the name of each manifest ends.
const suffix = ".ekko.ipc.json"

// The bounds of what is looked at in one directory. A working directory may
// hold anything.
const (
	maxManifests = 1024
	maxEntries   = 100_000
)

// folder is what is remembered of one directory of the search path.
type folder struct {
	path      string
	freshness time.Duration

	mu      sync.Mutex
	stamp   stamp
	settled bool
	names   []string         // of its manifests, sorted
	files   map[string]*file // by name: those that were needed so far
	more    bool             // names is not all of them
}

// file is what is remembered of one manifest. It does not change.
type file struct {
	path     string
	stamp    stamp
	settled  bool
	manifest *manifest.Manifest
	err      error // why there is no manifest
}

// describes reports whether f is the manifest of that service.
func (f *file) describes(name string) bool {
	return f.manifest != nil && f.manifest.Service.Name == name
}

// folder returns what is remembered of that directory.
func (r *Registry) folder(path string) *folder {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.folders[path]
	if f == nil {
		if len(r.folders) > 4*maxDirs {
			// The working directory keeps changing: start afresh rather than
			// grow.
			clear(r.folders)
		}
		f = &folder{path: path, freshness: r.freshness}
		r.folders[path] = f
	}
	return f
}

// check brings the directory's own state up to date. The error is why nothing
// in it may be used.
func (d *folder) check() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	at, err := look(d.path)
	if err == nil && at == d.stamp && d.settled {
		// It is still the very directory that was found safe. Had one above
		// it been opened to others and they had put another in its place,
		// the inode would be another.
		return nil
	}
	if err == nil && !at.mode.IsDir() {
		err = &fs.PathError{Op: "open", Path: d.path, Err: syscall.ENOTDIR}
	}
	if err == nil {
		err = manifest.CheckDir(d.path)
	}
	if err != nil {
		d.stamp, d.settled, d.names, d.files = stamp{}, false, nil, nil
		return err
	}
	d.stamp, d.settled, d.names = at, at.settled(now, d.freshness), nil
	return nil
}

// file returns the manifest in the file of that name, or nil if there is no
// such file.
func (d *folder) file(name string) *file {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fileLocked(name)
}

func (d *folder) fileLocked(name string) *file {
	known := d.files[name]
	f := readManifest(d.join(name), known, d.freshness)
	switch {
	case f == known:
	case f == nil:
		delete(d.files, name)
	default:
		if d.files == nil {
			d.files = make(map[string]*file)
		}
		d.files[name] = f
	}
	return f
}

// readManifest returns the manifest at path: known, if that is still it, or
// nil if there is none.
func readManifest(path string, known *file, freshness time.Duration) *file {
	now := time.Now()
	// The stamp is taken before the file is read. Should it change in
	// between, the next look finds another stamp.
	at, err := look(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENAMETOOLONG):
		return nil
	case err != nil:
		return &file{path: path, err: err}
	case known != nil && known.settled && known.stamp == at:
		return known
	}
	f := &file{path: path, stamp: at, settled: at.settled(now, freshness)}
	f.manifest, f.err = manifest.Load(path)
	return f
}

// all returns every manifest of the directory, sorted by file name, and
// whether there are more than that.
func (d *folder) all(ctx context.Context) (files []*file, more bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.listLocked(); err != nil {
		return nil, false, err
	}
	for _, name := range d.names {
		if err := alive(ctx, "search "+d.path); err != nil {
			return nil, false, err
		}
		if f := d.fileLocked(name); f != nil {
			files = append(files, f)
		}
	}
	return files, d.more, nil
}

// listLocked brings names up to date, as long as check has seen to the stamp.
func (d *folder) listLocked() error {
	if d.names != nil {
		return nil
	}
	names, more, err := manifestNames(d.path)
	if err != nil {
		return err
	}
	d.names, d.more = names, more
	for name := range d.files {
		if _, found := slices.BinarySearch(names, name); !found {
			delete(d.files, name)
		}
	}
	return nil
}

// manifestNames returns the names of the manifests in dir, sorted and not
// nil.
func manifestNames(dir string) (names []string, more bool, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	names = []string{}
	for seen := 0; ; {
		some, err := f.Readdirnames(1024)
		for _, name := range some {
			if isManifest(name) {
				names = append(names, name)
			}
		}
		if seen += len(some); errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, false, fmt.Errorf("registry: list %s: %w", dir, err)
		}
		if seen >= maxEntries {
			more = true
			break
		}
	}
	slices.Sort(names)
	if len(names) > maxManifests {
		names, more = names[:maxManifests:maxManifests], true
	}
	return names, more, nil
}

func (d *folder) join(name string) string { return filepath.Join(d.path, name) }

// isManifest reports whether a file of that name is a manifest. A name that
// is nothing but the suffix is one too: the file the user's document calls
// ".ekko.ipc.json".
func isManifest(name string) bool { return strings.HasSuffix(name, suffix) }
