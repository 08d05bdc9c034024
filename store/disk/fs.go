package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ekkojs/ipc/internal/place"
)

// fileSystem is the few operations that a log is made of. It is there so that
// tests can have each of them fail, and can cut the power.
type fileSystem interface {
	// open opens a regular file of this user; flag is of package os. It
	// follows no link, and makes files for this user only.
	open(path string, flag int) (file, error)
	// list returns the names in a directory.
	list(dir string) ([]string, error)
	rename(from, to string) error
	remove(path string) error
	// syncDir makes certain what names are in a directory.
	syncDir(dir string) error
	// place makes sure that nobody else decides what is in the directory,
	// and makes it if there is none. With parents it looks at those as well.
	place(dir string, parents bool) error
	// lock takes a lock that the end of the process gives back.
	lock(path string) (io.Closer, error)
}

type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	truncate(size int64) error
	// sync makes certain what the file holds and how long it is.
	sync() error
	size() (int64, error)
}

// system is the machine's own file system.
type system struct{}

type osFile struct{ *os.File }

func (f osFile) truncate(size int64) error { return f.Truncate(size) }
func (f osFile) sync() error               { return syncData(f.File) }

func (f osFile) size() (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

func (system) open(path string, flag int) (file, error) {
	f, err := openPrivate(path, flag)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (system) list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (system) rename(from, to string) error { return os.Rename(from, to) }
func (system) remove(path string) error     { return os.Remove(path) }
func (system) syncDir(dir string) error     { return place.Sync(dir) }

func (system) place(dir string, parents bool) error {
	// What is above a log's directory has been looked at with the store's.
	rule := place.Rule{Create: true, Durable: true, Shared: true, Alone: !parents}
	err := rule.Check(dir)
	if fault, ok := errors.AsType[*place.Fault](err); ok {
		return fmt.Errorf("%w: %w", errUntrusted, fault)
	}
	return err
}

// replace puts a file with that content at path: the old one or the new one
// is there, whatever happens, and the new one when it returns.
func replace(fsys fileSystem, path string, content []byte) error {
	made := path + ".new"
	f, err := fsys.open(made, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	if err == nil {
		err = f.sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = fsys.rename(made, path)
	}
	if err == nil {
		err = fsys.syncDir(filepath.Dir(path))
	} else {
		fsys.remove(made)
	}
	return err
}

// readAll reads a small file.
func readAll(fsys fileSystem, path string, limit int64) ([]byte, error) {
	f, err := fsys.open(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(size, limit))
	n, err := f.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return b[:n], err
}

// readDamaged fills p from off on. What the medium cannot give, and what is
// behind the end of the file, comes as zeros, which no record is. The error
// is of the kind that may pass.
func readDamaged(f file, p []byte, off int64) error {
	n, err := f.ReadAt(p, off)
	if n == len(p) || err == nil {
		return nil
	}
	if err == io.EOF {
		clear(p[n:])
		return nil
	}
	if mayPass(err) {
		return err
	}
	const page = 4 << 10
	for at := 0; at < len(p); at += page {
		part := p[at:min(at+page, len(p))]
		n, err := f.ReadAt(part, off+int64(at))
		if n < len(part) {
			clear(part[max(n, 0):])
			if err != nil && err != io.EOF && mayPass(err) {
				return err
			}
		}
	}
	return nil
}

// heldError says who has the lock.
type heldError struct {
	path string
	pid  int // 0 if not known
}

// pathError is for what has no error of its own.
func pathError(op, path string, err error) error {
	return &fs.PathError{Op: op, Path: path, Err: err}
}

func (e *heldError) Error() string {
	if e.pid == 0 {
		return "another process holds " + e.path
	}
	return "process " + strconv.Itoa(e.pid) + " holds " + e.path
}
