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
	"time"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// mappingName is the name of a mapping file.
const mappingName = "ekko.ipc.config.json"

// maxMapping is the longest mapping file, in bytes.
const maxMapping = 256 << 10

// mapping is what is remembered of one mapping file. It does not change.
type mapping struct {
	path    string
	stamp   stamp
	settled bool
	names   []string // sorted
	entries map[string]entry
	err     error // why there is nothing of the above two
}

// entry is what a mapping file says of one service: at least one of the two.
type entry struct {
	manifest string // absolute path
	address  string
}

// mappingFiles looks the service up in the mapping files.
func (s *search) mappingFiles(ctx context.Context) (*Resolution, error) {
	for _, path := range s.registry.mappingPaths() {
		if err := alive(ctx, "resolve "+s.name); err != nil {
			return nil, err
		}
		m, err := s.registry.mapping(path)
		switch {
		case err == nil:
		case passedOver(path, err):
			s.note(path, outcome(path, err))
			continue
		default:
			// It might have had the service.
			return nil, broken(s.name, path, err)
		}
		if _, ok := m.entries[s.name]; !ok {
			s.note(path, "does not map the name")
			continue
		}
		found, err := m.resolve(s.registry, s.name)
		if err != nil {
			return nil, err
		}
		return s.found(found), nil
	}
	return nil, nil
}

// passedOver reports whether a file that cannot be used for that reason is as
// good as not there: because it is not, or nobody can tell, or because it may
// be planted.
func passedOver(path string, err error) bool {
	at, lookErr := look(path)
	if lookErr != nil || !errors.Is(err, manifest.ErrUntrusted) {
		return lookErr != nil
	}
	return at.foreign() || manifest.CheckDir(filepath.Dir(path)) != nil
}

// mapping returns the mapping file at path, read again if it has changed.
func (r *Registry) mapping(path string) (*mapping, error) {
	now := time.Now()
	at, err := look(path)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	known := r.mappings[path]
	r.mu.Unlock()
	if known == nil || !known.settled || known.stamp != at {
		known = readMapping(path)
		known.stamp, known.settled = at, at.settled(now, r.freshness)
		r.remember(known)
	}
	return known, known.err
}

func (r *Registry) remember(m *mapping) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.mappings) > maxDirs {
		clear(r.mappings) // the working directory keeps changing
	}
	r.mappings[m.path] = m
}

func readMapping(path string) *mapping {
	m := &mapping{path: path}
	text, err := readTrusted(path, maxMapping)
	if err == nil {
		m.entries, err = parseMapping(text)
	}
	if wrong, ok := errors.AsType[*MappingError](err); ok {
		wrong.File = path
	}
	if m.err = err; err != nil {
		return m
	}
	for name, e := range m.entries {
		if e.manifest != "" && !filepath.IsAbs(e.manifest) {
			e.manifest = filepath.Join(filepath.Dir(path), filepath.FromSlash(e.manifest))
			m.entries[name] = e
		}
		m.names = append(m.names, name)
	}
	slices.Sort(m.names)
	return m
}

// resolve returns what the file maps name to, which must be in it.
func (m *mapping) resolve(r *Registry, name string) (*Resolution, error) {
	e := m.entries[name]
	if e.manifest == "" {
		r := &Resolution{Name: name, Source: SourceMapping, Path: m.path}
		return r.reachedBy([]Way{{Address: e.address}}), nil
	}
	f, err := r.mapped(e.manifest)
	if err != nil {
		return nil, broken(name, m.path, err)
	}
	found := &Resolution{Name: name, Source: SourceMapping, Path: f.path, Manifest: f.manifest}
	if e.address != "" {
		return found.reachedBy([]Way{{Address: e.address}}), nil
	}
	ways, err := WaysOf(f.manifest)
	if err != nil {
		return nil, within(f.path, err)
	}
	return found.reachedBy(ways), nil
}

// mapped returns the manifest that a mapping file leads to.
func (r *Registry) mapped(path string) (*file, error) {
	d := r.folder(filepath.Dir(path))
	if err := d.check(); err != nil {
		return nil, err
	}
	f := d.file(filepath.Base(path))
	if f == nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return f, f.err
}

// unmapped are the schemes of addresses that mean something only to the
// process that says them.
var unmapped = []string{transport.SchemeStdio, transport.SchemeMem, transport.SchemeExec, transport.SchemeInherit}

// mappedAddress reports whether text is an address rather than a path, and
// what is wrong with it.
func mappedAddress(text string) (address bool, err error) {
	scheme, _, ok := strings.Cut(text, ":")
	// One letter and a colon is a Windows drive.
	if !ok || len(scheme) < 2 || strings.ContainsAny(scheme, `/\.`) {
		return false, nil
	}
	parsed, err := transport.ParseAddress(text)
	if err == nil && slices.Contains(unmapped, parsed.Scheme) {
		err = wire.Errorf(wire.CodeTransportUnsupported, "%q cannot be reached from another process", text)
	}
	return true, err
}

// readTrusted reads a file that nobody but the user and root can have written
// or put where it is. The file is opened once and judged as opened.
func readTrusted(path string, most int64) ([]byte, error) {
	if err := manifest.CheckDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	// Asked first, since opening a pipe would wait for a writer.
	if at, err := look(path); err == nil && !at.mode.IsRegular() {
		return nil, fmt.Errorf("%w: it is not a regular file", manifest.ErrUntrusted)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch at := stampOf(info); {
	case at.foreign():
		return nil, fmt.Errorf("%w: it belongs to uid %d", manifest.ErrUntrusted, at.identity.uid)
	case at.open():
		return nil, fmt.Errorf("%w: others may change it (mode %04o): run chmod go-w %q", manifest.ErrUntrusted, at.mode.Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("longer than %d bytes", most)
	}
	return text, err
}
