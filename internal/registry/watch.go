package registry

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/ekkojs/ipc/transport"
)

// Watch calls changed whenever what Resolve and List find may have changed:
// when a manifest, a mapping file, a socket or a directory of the search path
// comes, goes or is written to, also in directories that do not exist yet. A
// change after Watch has returned is not missed.
//
// Changes that come together are told of once, at the latest ten times
// Options.Debounce after the first one. Calls of changed do not overlap, and
// must return for the next one to come. They are made by a goroutine that ends
// with ctx; ended is closed when it has. The search path is that of the
// moment of the call.
func (r *Registry) Watch(ctx context.Context, changed func()) (ended <-chan struct{}, err error) {
	notifier, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("registry: watch: %w", err)
	}
	w := &watch{notifier: notifier, debounce: r.options.Debounce, armed: make(map[string]bool)}
	w.targets = append(w.targets, r.SearchPath()...)
	for _, path := range r.mappingPaths() {
		w.targets = append(w.targets, filepath.Dir(path))
	}
	if dir, err := transport.RuntimeDir(); err == nil {
		w.targets = append(w.targets, dir)
	}
	if err := w.arm(); err != nil {
		notifier.Close()
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer notifier.Close()
		w.run(ctx, changed)
	}()
	return done, nil
}

// watch is one Watch under way.
type watch struct {
	notifier *fsnotify.Watcher
	debounce time.Duration
	targets  []string        // absolute paths of the directories that matter
	armed    map[string]bool // those and others that are being watched
}

// arm watches each target and what is above it as far down as it exists, so
// that its coming is seen. It looks again until nothing new has come in
// between.
func (w *watch) arm() error {
	for again := true; again; {
		again = false
		for _, target := range w.targets {
			for _, dir := range chain(target) {
				if w.armed[dir] {
					continue
				}
				if at, err := look(dir); err != nil || !at.mode.IsDir() {
					continue
				}
				if err := w.notifier.Add(dir); err == nil {
					w.armed[dir], again = true, true
				} else if _, gone := look(dir); gone == nil && dir == target {
					return fmt.Errorf("registry: watch %s: %w", dir, err)
				}
			}
		}
	}
	return nil
}

// chain returns the directories to be watched for target: itself and its
// parent, and if the parent is not there what is, down to the first above
// that exists.
func chain(target string) []string {
	dirs := []string{target}
	for dir := target; ; {
		parent := filepath.Dir(dir)
		if parent == dir {
			return dirs
		}
		dir = parent
		dirs = append(dirs, dir)
		if at, err := look(dir); err == nil && at.mode.IsDir() {
			return dirs
		}
	}
}

// disarm forgets a directory that is gone, with all below it: they may have
// been moved together, and others may come in their place.
func (w *watch) disarm(gone string) {
	for dir := range w.armed {
		if dir == gone || strings.HasPrefix(dir, gone+string(filepath.Separator)) {
			delete(w.armed, dir)
			_ = w.notifier.Remove(dir) // the system may have removed it already
		}
	}
}

// matters reports whether e is about something that Resolve looks at.
func (w *watch) matters(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod && w.armed[e.Name] {
		return true // it may be trusted now, or no longer
	}
	base := filepath.Base(e.Name)
	ours := isManifest(base) || base == mappingName || strings.HasSuffix(base, socketSuffix)
	for _, target := range w.targets {
		if ours && filepath.Dir(e.Name) == target {
			return true
		}
		// A directory on the way to a target has come or gone.
		if !e.Has(fsnotify.Write) && (e.Name == target || strings.HasPrefix(target, e.Name+string(filepath.Separator))) {
			return true
		}
	}
	return false
}

// run waits for changes until ctx ends.
func (w *watch) run(ctx context.Context, changed func()) {
	timer := time.NewTimer(0)
	if !timer.Stop() {
		<-timer.C
	}
	defer timer.Stop()
	var latest time.Time // when changed is called at the latest; zero: nothing has happened
	note := func() {
		now := time.Now()
		if latest.IsZero() {
			latest = now.Add(10 * w.debounce)
		}
		timer.Reset(min(w.debounce, latest.Sub(now)))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-w.notifier.Events:
			if !ok {
				return
			}
			if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
				w.disarm(e.Name)
			}
			if w.matters(e) {
				note()
			}
		case _, ok := <-w.notifier.Errors:
			if !ok {
				return
			}
			note() // events were lost: anything may have changed
		case <-timer.C:
			latest = time.Time{}
			// An error here is a directory that cannot be watched: no worse
			// than one that is not there, and looked at again next time.
			_ = w.arm()
			if ctx.Err() == nil {
				changed()
			}
		}
	}
}
