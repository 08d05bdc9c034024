//go:build unix

package registry

import (
	"context"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watched is a world with a Watch under way.
type watched struct {
	*world
	changes chan struct{}
	stop    context.CancelFunc
	ended   <-chan struct{}
}

func newWatched(t *testing.T, w *world) *watched {
	t.Helper()
	w.Registry.options.Debounce = 5 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	v := &watched{world: w, changes: make(chan struct{}, 1), stop: cancel}
	ended, err := w.Watch(ctx, func() {
		select {
		case v.changes <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	v.ended = ended
	t.Cleanup(func() { cancel(); <-ended })
	return v
}

// until waits until ok holds, looking only when Watch says that something has
// changed.
func (v *watched) until(what string, ok func() bool) {
	v.Helper()
	late := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-v.changes:
		case <-late:
			v.Fatalf("Watch did not tell: %s", what)
		}
	}
}

func (v *watched) at(name, path string) func() bool {
	return func() bool {
		r, err := v.Resolve(context.Background(), name)
		if path == "" {
			return err != nil
		}
		return err == nil && v.named(r.Path) == path
	}
}

func TestWatchTellsOfEverything(t *testing.T) {
	w := newWorld(t)
	v := newWatched(t, w)
	remove := func(path string) {
		t.Helper()
		if err := os.RemoveAll(w.path(path)); err != nil {
			t.Fatal(err)
		}
	}
	w.write("$WORK/db.ekko.ipc.json", manifestOf("db"))
	v.until("a new manifest", v.at("db", "$WORK/db.ekko.ipc.json"))
	w.write("$WORK/db.ekko.ipc.json", manifestOf("da"))
	v.until("a manifest rewritten", v.at("da", "$WORK/db.ekko.ipc.json"))
	remove("$WORK/db.ekko.ipc.json")
	v.until("a manifest removed", v.at("da", ""))

	w.write("$WORK/ipc/db.ekko.ipc.json", manifestOf("db"))
	v.until("a directory made", v.at("db", "$WORK/ipc/db.ekko.ipc.json"))
	w.write("$WORK/ipc/da.ekko.ipc.json", manifestOf("da"))
	v.until("a manifest in a new directory", v.at("da", "$WORK/ipc/da.ekko.ipc.json"))
	remove("$WORK/ipc")
	v.until("a directory removed", v.at("db", ""))
	w.write("$WORK/ipc/db.ekko.ipc.json", manifestOf("db"))
	v.until("a directory made again", v.at("db", "$WORK/ipc/db.ekko.ipc.json"))
	w.write("$WORK/ipc/da.ekko.ipc.json", manifestOf("da"))
	v.until("a manifest in a directory made again", v.at("da", "$WORK/ipc/da.ekko.ipc.json"))

	w.write("$HOME/.ekko/ipc/home.ekko.ipc.json", manifestOf("home"))
	v.until("directories two deep", v.at("home", "$HOME/.ekko/ipc/home.ekko.ipc.json"))
	if err := os.Rename(w.path("$HOME/.ekko"), w.path("$HOME/.old")); err != nil {
		t.Fatal(err)
	}
	v.until("a directory above moved away", v.at("home", ""))
	w.write("$HOME/.ekko/ipc/else.ekko.ipc.json", manifestOf("else"))
	v.until("other directories in the place of those", v.at("else", "$HOME/.ekko/ipc/else.ekko.ipc.json"))
	w.write("$HOME/.ekko/ipc/last.ekko.ipc.json", manifestOf("last"))
	v.until("a manifest in them", v.at("last", "$HOME/.ekko/ipc/last.ekko.ipc.json"))
	remove("$HOME/.ekko")
	v.until("those removed", v.at("last", ""))
	if err := os.Rename(w.path("$HOME/.old"), w.path("$HOME/.ekko")); err != nil {
		t.Fatal(err)
	}
	v.until("a directory above moved back", v.at("home", "$HOME/.ekko/ipc/home.ekko.ipc.json"))
	w.write("$HOME/.ekko/ipc/more.ekko.ipc.json", manifestOf("more"))
	v.until("a manifest below a directory moved back", v.at("more", "$HOME/.ekko/ipc/more.ekko.ipc.json"))

	w.write("$HOME/.ekko/ekko.ipc.config.json", `{"services":{"mapped":"unix:/run/x.sock"}}`)
	v.until("a mapping file", v.at("mapped", "$HOME/.ekko/ekko.ipc.config.json"))
	l := w.serve("running")
	v.until("a socket", v.at("running", "$RUN/running.sock"))
	l.Close()
	v.until("a socket gone", v.at("running", ""))
}

func TestWatchIsQuietAboutOtherFiles(t *testing.T) {
	w := &watch{targets: []string{"/work", "/work/ipc", "/home/.ekko/ipc"}, armed: map[string]bool{"/work": true}}
	for _, test := range []struct {
		name    string
		op      fsnotify.Op
		matters bool
	}{
		{"/work/db.ekko.ipc.json", fsnotify.Write, true},
		{"/work/db.ekko.ipc.json", fsnotify.Chmod, true},
		{"/work/ekko.ipc.config.json", fsnotify.Create, true},
		{"/work/db.sock", fsnotify.Remove, true},
		{"/work/ipc", fsnotify.Create, true},
		{"/home/.ekko", fsnotify.Rename, true},
		{"/home", fsnotify.Create, true},
		{"/work", fsnotify.Chmod, true},
		{"/work/log.txt", fsnotify.Write, false},
		{"/work/log.txt", fsnotify.Create, false},
		{"/work/ipc2", fsnotify.Create, false},
		{"/home/db.ekko.ipc.json", fsnotify.Create, false},
		{"/home/.ekko/ipc-old", fsnotify.Create, false},
		{"/work/ipc/deeper/db.ekko.ipc.json", fsnotify.Create, false},
	} {
		if got := w.matters(fsnotify.Event{Name: test.name, Op: test.op}); got != test.matters {
			t.Errorf("%v of %s matters: %v", test.op, test.name, got)
		}
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	v := newWatched(t, w)
	v.stop()
	<-v.ended
	w.write("$WORK/db.ekko.ipc.json", manifestOf("db"))
	select {
	case <-v.changes:
		t.Error("told of a change after the end")
	default:
	}
}

// TestWatchIsDebounced: changes that come together are told of once, and
// those that do not cease are told of all the same, after ten times as long.
func TestWatchIsDebounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{
			notifier: &fsnotify.Watcher{Events: make(chan fsnotify.Event), Errors: make(chan error)},
			debounce: 100 * time.Millisecond,
			targets:  []string{"/target"},
			armed:    map[string]bool{"/": true, "/target": true},
		}
		begin := time.Now()
		var told []time.Duration
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.run(ctx, func() { told = append(told, time.Since(begin)) })
		}()
		sendEach := func(every time.Duration, n int, e fsnotify.Event) {
			for range n {
				w.notifier.Events <- e
				<-time.After(every)
			}
		}
		ours := fsnotify.Event{Name: "/target/db" + suffix, Op: fsnotify.Write}
		sendEach(90*time.Millisecond, 3, ours)  // until 270
		<-time.After(230 * time.Millisecond)    // until 500
		sendEach(50*time.Millisecond, 30, ours) // until 2000
		<-time.After(time.Second)
		sendEach(time.Millisecond, 100, fsnotify.Event{Name: "/target/log", Op: fsnotify.Write})
		w.notifier.Errors <- fsnotify.ErrEventOverflow
		<-time.After(time.Second)
		cancel()
		<-ended
		want := []time.Duration{280, 1500, 2050, 3200}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(told, want) {
			t.Errorf("told at %v instead of %v", told, want)
		}
	})
}
