package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// search is one Resolve under way. Each step returns a resolution, an error
// that ends the search, or neither.
type search struct {
	registry *Registry
	name     string
	places   []Place
}

func (s *search) note(path, outcome string) {
	s.places = append(s.places, Place{Path: path, Outcome: outcome})
}

// found ends the search at path.
func (s *search) found(r *Resolution) *Resolution {
	s.places = append(s.places, Place{Path: r.Path, Outcome: "found", Found: true})
	return r
}

// searchPath looks for a manifest.
func (s *search) searchPath(ctx context.Context) (*Resolution, error) {
	for _, dir := range s.registry.SearchPath() {
		if err := alive(ctx, "resolve "+s.name); err != nil {
			return nil, err
		}
		found, err := s.folder(ctx, s.registry.folder(dir))
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}

// folder looks for a manifest in one directory: by file name, then by what
// the files say.
func (s *search) folder(ctx context.Context, d *folder) (*Resolution, error) {
	if err := d.check(); err != nil {
		s.note(d.path, outcome(d.path, err))
		return nil, nil
	}
	named := s.name + suffix
	if f := d.file(named); f != nil {
		if found, err := s.named(f); found != nil || err != nil {
			return found, err
		}
	}
	files, more, err := d.all(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		s.note(d.path, outcome(d.path, err))
		return nil, nil
	}
	readable := 0
	for _, f := range files {
		switch {
		case f.describes(s.name):
			return s.use(f)
		case f.manifest != nil:
			readable++
		case f.path != d.join(named): // that one is noted already
			s.note(f.path, outcome(f.path, f.err))
		}
	}
	s.note(d.path, noMatch(readable, more))
	return nil, nil
}

// named considers the file that has the service's name.
func (s *search) named(f *file) (*Resolution, error) {
	switch {
	case f.describes(s.name):
		return s.use(f)
	case f.manifest != nil:
		s.note(f.path, "describes "+strconv.Quote(f.manifest.Service.Name))
		return nil, nil
	case f.stamp == stamp{}:
		// It cannot even be told whether there is such a file.
		s.note(f.path, outcome(f.path, f.err))
		return nil, nil
	case f.stamp.foreign():
		// Planted, perhaps. Were it an error, anybody who can write here
		// could keep the service from being found.
		s.note(f.path, outcome(f.path, f.err))
		return nil, nil
	}
	return nil, broken(s.name, f.path, f.err)
}

// use makes a resolution of the service's manifest.
func (s *search) use(f *file) (*Resolution, error) {
	r, err := resolutionOf(f)
	if err != nil {
		return nil, err
	}
	return s.found(r), nil
}

func resolutionOf(f *file) (*Resolution, error) {
	ways, err := WaysOf(f.manifest)
	if err != nil {
		return nil, within(f.path, err)
	}
	r := &Resolution{
		Name:     f.manifest.Service.Name,
		Source:   SourceManifest,
		Path:     f.path,
		Manifest: f.manifest,
	}
	return r.reachedBy(ways), nil
}

// broken is the error for a file that should say where the service is, and
// cannot be used.
func broken(name, path string, err error) error {
	code := wire.CodeServiceNotFound
	if errors.Is(err, manifest.ErrUntrusted) {
		code = wire.CodeUntrustedPeer
	}
	return wire.Errorf(code, "service %q: %w", name, within(path, err))
}

// within says which file err is about. What a manifest or a mapping says wrong
// names its file by itself.
func within(path string, err error) error {
	var syntax *manifest.SyntaxError
	var mapping *MappingError
	if errors.As(err, &syntax) || errors.As(err, &mapping) || strings.Contains(err.Error(), path) {
		return err
	}
	if coded, ok := errors.AsType[*wire.Error](err); ok {
		named := *coded
		named.Message = path + ": " + coded.Message
		return &named
	}
	return fmt.Errorf("%s: %w", path, err)
}

// notThere is the outcome of most places.
const notThere = "not there"

// outcome says in a few words why a place is not usable. Whoever reads it
// knows the place.
func outcome(path string, err error) string {
	if syntax, ok := errors.AsType[*manifest.SyntaxError](err); ok {
		return fmt.Sprintf("broken: %d:%d: %s", syntax.Line, syntax.Column, syntax.Message)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return notThere
	case errors.Is(err, syscall.ENOTDIR):
		return "not a directory"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	}
	text := err.Error()
	for _, said := range []string{"manifest " + path + ": ", "directory " + path + ": ", manifest.ErrUntrusted.Error() + ": "} {
		text = strings.TrimPrefix(text, said)
	}
	if errors.Is(err, manifest.ErrUntrusted) {
		return "refused: " + text
	}
	return text
}

func noMatch(manifests int, more bool) string {
	var text string
	switch manifests {
	case 0:
		text = "no manifests"
	case 1:
		text = "no match in 1 manifest"
	default:
		text = "no match in " + strconv.Itoa(manifests) + " manifests"
	}
	if more {
		text += "; there are more than are looked at"
	}
	return text
}
