package registry

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// Options adjusts New. A nil *Options means the defaults.
type Options struct {
	// Dirs is the search path. Default: that of the package comment.
	Dirs []string

	// Getenv reads the environment. Default os.Getenv. (The runtime
	// directory is that of package transport, which reads the real one.)
	Getenv func(string) string

	// WorkDir is what "./" means. Default: the process's working directory
	// at each call.
	WorkDir string

	// HomeDir is what "~/" means. Default os.UserHomeDir; if there is none,
	// the places in it are left out.
	HomeDir string
}

func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Getenv == nil {
		out.Getenv = os.Getenv
	}
	return out
}

// Registry finds services. All methods may be called at any time from any
// goroutine.
type Registry struct {
	options   Options
	freshness time.Duration // the constant, but for tests

	mu       sync.Mutex
	folders  map[string]*folder
	mappings map[string]*mapping
}

// New returns a registry. It looks at nothing yet.
func New(o *Options) *Registry {
	return &Registry{
		options:   o.withDefaults(),
		freshness: freshness,
		folders:   make(map[string]*folder),
		mappings:  make(map[string]*mapping),
	}
}

// The sources of a Resolution.
const (
	SourceManifest = "manifest" // a manifest on the search path
	SourceMapping  = "mapping"  // a mapping file
	SourceRuntime  = "runtime"  // a living socket, nothing more being known
)

// Resolution is where a service lives, and how that was found out.
type Resolution struct {
	Name    string
	Address string // the first to try, in the form transport.Dial takes

	// Ways are all there are, in the order in which they are tried; Address
	// is that of the first without an Err that is no Offer.
	Ways []Way

	Source string // one of the Source constants
	Path   string // the manifest, else the mapping file, else the socket

	// Manifest is nil if only the address is known. It is shared: treat it
	// as read-only.
	Manifest *manifest.Manifest

	// Places is each place looked at, in order. The last one is Found.
	Places []Place
}

// reachedBy returns r with the ways to it, one of which is open.
func (r *Resolution) reachedBy(ways []Way) *Resolution {
	r.Ways = ways
	for _, way := range Open(ways) {
		if r.Address = way.Address; !way.Offer {
			break
		}
	}
	return r
}

// Place is one place looked at for a service.
type Place struct {
	Path    string // absolute: a directory, a file or a socket
	Outcome string // what was there, in a few words for people
	Found   bool   // this is where the service was found
}

// Resolve finds the service of that name.
//
// The error is a *wire.Error: INVALID_NAME; SERVICE_NOT_FOUND, with a
// *NotFound as its cause, or with that of a broken file that should have told;
// UNTRUSTED_PEER for such a file, or an address in it, that is not safe to
// use; TRANSPORT_UNSUPPORTED for a service that can only be reached in ways
// this library does not know. Or it wraps ctx's error.
func (r *Registry) Resolve(ctx context.Context, name string) (*Resolution, error) {
	if err := wire.CheckName(name); err != nil {
		return nil, err
	}
	s := &search{registry: r, name: name}
	for _, step := range []func(context.Context) (*Resolution, error){s.searchPath, s.mappingFiles, s.runtimeDir} {
		found, err := step(ctx)
		if err != nil {
			return nil, err
		}
		if found != nil {
			found.Name, found.Places = name, s.places
			return found, nil
		}
	}
	return nil, s.notFound(ctx)
}

// alive returns an error if ctx has ended. Looking at files cannot be
// interrupted, so it is asked between two places.
func alive(ctx context.Context, doing string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("registry: %s: %w", doing, err)
	}
	return nil
}
