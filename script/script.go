package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/observe"
)

// The exit codes that Run returns besides those that apps choose.
const (
	ExitFailed      = 1   // an error that nobody caught, or an app that cannot be read
	ExitUnsettled   = 13  // nothing was left to do, but the app still awaited something
	ExitInterrupted = 130 // the context ended, or SIGINT came
	ExitTerminated  = 143 // SIGTERM came
)

// Options adjusts Run. A nil *Options means the defaults, with which an app
// reaches services through package ipc.
type Options struct {
	// Args are the app's arguments: process.argv from the third on.
	Args []string

	// Stdin, Stdout and Stderr are the app's. Default the process's own.
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Env is the app's environment, as "NAME=value". Default os.Environ.
	Env []string

	// Dir is the app's working directory, to which file is relative.
	// Default os.Getwd.
	Dir string

	// Signals brings what the process is sent, for process.on and for
	// services to end. Default none: then signals do what they do to any
	// Go program, and only the context ends the app.
	Signals <-chan os.Signal

	// Timeout is how long a call may take that states no timeout of its own.
	// Default 30 s; negative means for ever.
	Timeout time.Duration

	// MemoryLimit is how many bytes the app's values may take. Default 1 GiB.
	MemoryLimit uint64

	// HTTP carries the requests of fetch. Default a clone of
	// http.DefaultTransport.
	HTTP http.RoundTripper

	// Tap is told of every message that the app sends and receives, unless
	// Dial and NewService are given. Default none.
	Tap *observe.Tap

	// Configure may change the options of a service that the app serves, such
	// as its Store, unless NewService is given. The function that it returns,
	// if any, is called when the service has ended. Default none.
	Configure func(m *manifest.Manifest, o *ipc.ServiceOptions) (done func() error, err error)

	// Resolve finds a service by name, for an import. It must be safe for
	// concurrent use. Default: the registry of package ipc.
	Resolve func(ctx context.Context, name string) (*Target, error)

	// Dial connects to a service. stray is told of events that the service
	// refused; it may be called from any goroutine and does not block.
	// Default ipc.Dial.
	Dial func(ctx context.Context, name string, stray func(error)) (Client, error)

	// NewService makes what the app serves. Default ipc.NewService.
	NewService func(ctx context.Context, spec *ServiceSpec) (Service, error)
}

// The defaults of Options.
const (
	DefaultTimeout     = 30 * time.Second
	DefaultMemoryLimit = 1 << 30
)

func (o *Options) orDefault() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Stdin == nil {
		out.Stdin = os.Stdin
	}
	if out.Stdout == nil {
		out.Stdout = os.Stdout
	}
	if out.Stderr == nil {
		out.Stderr = os.Stderr
	}
	if out.Env == nil {
		out.Env = os.Environ()
	}
	if out.Timeout == 0 {
		out.Timeout = DefaultTimeout
	}
	if out.MemoryLimit == 0 {
		out.MemoryLimit = DefaultMemoryLimit
	}
	if out.Dir == "" {
		dir, err := os.Getwd()
		if err != nil {
			return out, fmt.Errorf("script: %w", err)
		}
		out.Dir = dir
	}
	out.orNetwork()
	return out, nil
}

// Run runs the app in file and returns its exit code. What goes wrong in the
// app, be it an import that cannot be found or an error that nobody catches,
// is told on Stderr and in the exit code; the error is for what keeps an app
// from running at all, such as a machine without memory for it.
//
// When ctx ends, an app that serves lets running requests finish for up to
// five seconds and ends with 0; any other ends with ExitInterrupted.
func Run(ctx context.Context, file string, opts *Options) (exitCode int, err error) {
	o, err := opts.orDefault()
	if err != nil {
		return ExitFailed, err
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(o.Dir, file)
	}
	a := newApp(ctx, file, o)
	code, err := a.run()
	if errors.Is(err, errInterrupted) {
		err = nil
	}
	return code, err
}
