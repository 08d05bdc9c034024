// Package watch calls a func when what the registry finds may have changed. It
// is apart from the registry because few programs watch, and only those compile
// what it takes.
package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/ekkojs/ipc/internal/registry"
)

// Options adjusts Start. A nil *Options means the defaults.
type Options struct {
	// Debounce is how long to wait for further changes before telling of
	// them. Default DefaultDebounce.
	Debounce time.Duration
}

// DefaultDebounce is the default of Options.Debounce.
const DefaultDebounce = 100 * time.Millisecond

// Start calls changed whenever what r's Resolve and List find may have changed:
// when a manifest, a mapping file, a socket or one of r's directories comes,
// goes or is written to, also in directories that do not exist yet. A change
// after Start has returned is not missed. Not seen are a process that ends and
// leaves its socket behind, and a manifest in a directory that only a mapping
// file leads to.
//
// Changes that come together are told of once, at the latest ten times
// Options.Debounce after the first one. Calls of changed do not overlap, and
// must return for the next one to come. They are made by a goroutine that ends
// with ctx; ended is closed when it has. The directories are those of the
// moment of the call.
func Start(ctx context.Context, r *registry.Registry, changed func(), o *Options) (ended <-chan struct{}, err error) {
	notifier, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	w := &watcher{notifier: notifier, debounce: DefaultDebounce, targets: r.Dirs(), armed: make(map[string]bool)}
	if o != nil && o.Debounce > 0 {
		w.debounce = o.Debounce
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

// watcher is what one Start has started.
type watcher struct {
	notifier *fsnotify.Watcher
	debounce time.Duration
	targets  []string        // absolute paths of the directories that matter
	armed    map[string]bool // those and others that are being watched
}

// arm watches each target and what is above it as far down as it exists, so
// that its coming is seen. It looks again until nothing new has come in
// between.
func (w *watcher) arm() error {
	for again := true; again; {
		again = false
		for _, target := range w.targets {
			for _, dir := range chain(target) {
				if w.armed[dir] {
					continue
				}
				if !isDir(dir) {
					continue
				}
				if err := w.notifier.Add(dir); err == nil {
					w.armed[dir], again = true, true
				} else if dir == target && isDir(dir) { // it is not that it has gone
					return fmt.Errorf("watch %s: %w", dir, err)
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
		if isDir(dir) {
			return dirs
		}
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// disarm forgets a directory that is gone, with all below it: they may have
// been moved together, and others may come in their place.
func (w *watcher) disarm(gone string) {
	for dir := range w.armed {
		if dir == gone || strings.HasPrefix(dir, gone+string(filepath.Separator)) {
			delete(w.armed, dir)
			_ = w.notifier.Remove(dir) // the system may have removed it already
		}
	}
}

// matters reports whether e is about something that the registry looks at.
func (w *watcher) matters(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod && w.armed[e.Name] {
		return true // it may be trusted now, or no longer
	}
	ours := registry.Reads(filepath.Base(e.Name))
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
func (w *watcher) run(ctx context.Context, changed func()) {
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
