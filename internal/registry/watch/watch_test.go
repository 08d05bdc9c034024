//go:build unix

package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"

	"github.com/ekkojs/ipc/internal/registry"
	"github.com/ekkojs/ipc/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watched is a registry that is being watched, with a working, a home and a
// runtime directory, named $WORK, $HOME and $RUN in what a test says.
type watched struct {
	*testing.T
	*registry.Registry
	work, home, run string
	stop            context.CancelFunc
	ended           <-chan struct{}

	mu    sync.Mutex
	steps int
	ok    func() bool   // what is waited for
	seen  chan struct{} // closed when it held in a call of changed
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	// Not t.TempDir, which is too long for sockets.
	root, err := os.MkdirTemp("", "ekko")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	if root, err = filepath.EvalSymlinks(root); err != nil {
		t.Fatal(err)
	}
	v := &watched{T: t, work: root + "/work", home: root + "/home", run: root + "/run"}
	for _, dir := range []string{v.work, v.home, v.run} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("EKKO_IPC_RUNTIME_DIR", v.run)
	v.Registry = registry.New(&registry.Options{
		WorkDir: v.work, HomeDir: v.home,
		Getenv: func(string) string { return "" },
	})
	ctx, cancel := context.WithCancel(context.Background())
	v.stop = cancel
	v.ended, err = Start(ctx, v.Registry, v.changed, &Options{Debounce: 5 * time.Millisecond})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); <-v.ended })
	return v
}

func (v *watched) path(path string) string {
	return strings.NewReplacer("$WORK", v.work, "$HOME", v.home, "$RUN", v.run).Replace(path)
}

// write writes a file, making the directories above it.
func (v *watched) write(path, text string) {
	v.Helper()
	path = v.path(path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		v.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		v.Fatal(err)
	}
	v.chmod(path, 0o644) // whatever the umask of whoever runs the tests is
}

func (v *watched) chmod(path string, mode os.FileMode) {
	v.Helper()
	if err := os.Chmod(path, mode); err != nil {
		v.Fatal(err)
	}
}

// serve listens on the socket of that name.
func (v *watched) serve(name string) transport.Listener {
	v.Helper()
	path, err := transport.SocketPath(name)
	if err != nil {
		v.Fatal(err)
	}
	l, err := transport.Listen(context.Background(), "unix:"+path, nil)
	if err != nil {
		v.Fatal(err)
	}
	v.Cleanup(func() { l.Close() })
	return l
}

// manifestOf is the text of the manifest of a service.
func manifestOf(name string) string {
	return fmt.Sprintf(`{"service":{"name":%q,"version":"1.0.0","transport":{"type":"auto"}}}`, name)
}

func (v *watched) changed() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ok != nil && v.ok() {
		close(v.seen)
		v.ok = nil
	}
}

// tells acts, and then waits until ok holds in a call of changed.
func (v *watched) tells(what string, ok func() bool, act func()) {
	v.Helper()
	seen := make(chan struct{})
	v.mu.Lock()
	v.ok, v.seen = ok, seen
	v.mu.Unlock()
	act()
	select {
	case <-seen:
	case <-time.After(20 * time.Second):
		v.Fatalf("not told of %s", what)
	}
}

// step is tells for the place where a service is found, "" for none. What
// came before has been told of when it begins.
func (v *watched) step(what, name, path string, act func()) {
	v.Helper()
	v.steps++
	flush := fmt.Sprintf("flush%d", v.steps)
	v.tells("a manifest", v.at(flush, "$WORK/flush.ekko.ipc.json"), func() {
		v.write("$WORK/flush.ekko.ipc.json", manifestOf(flush))
	})
	v.tells(what, v.at(name, path), act)
}

func (v *watched) at(name, path string) func() bool {
	return func() bool {
		r, err := v.Resolve(context.Background(), name)
		if path == "" {
			return err != nil
		}
		return err == nil && r.Path == v.path(path)
	}
}

func TestTellsOfEverything(t *testing.T) {
	v := newWatched(t)
	write := func(path, name string) func() {
		return func() { v.write(path, manifestOf(name)) }
	}
	remove := func(path string) func() {
		return func() {
			if err := os.RemoveAll(v.path(path)); err != nil {
				t.Error(err)
			}
		}
	}
	move := func(from, to string) func() {
		return func() {
			if err := os.Rename(v.path(from), v.path(to)); err != nil {
				t.Error(err)
			}
		}
	}
	const db, da = "$WORK/db.ekko.ipc.json", "$WORK/ipc/da.ekko.ipc.json"
	v.step("a new manifest", "db", db, write(db, "db"))
	v.step("a manifest rewritten", "da", db, write(db, "da"))
	v.step("a manifest removed", "da", "", remove(db))

	v.step("a directory made", "db", "$WORK/ipc/db.ekko.ipc.json", write("$WORK/ipc/db.ekko.ipc.json", "db"))
	v.step("a manifest in a new directory", "da", da, write(da, "da"))
	v.step("a directory removed", "db", "", remove("$WORK/ipc"))
	v.step("a directory made again", "db", "$WORK/ipc/db.ekko.ipc.json", write("$WORK/ipc/db.ekko.ipc.json", "db"))
	v.step("a manifest in a directory made again", "da", da, write(da, "da"))

	const home, other = "$HOME/.ekko/ipc/home.ekko.ipc.json", "$HOME/.ekko/ipc/other.ekko.ipc.json"
	v.step("directories two deep", "home", home, write(home, "home"))
	v.step("a directory above moved away", "home", "", move("$HOME/.ekko", "$HOME/.old"))
	v.step("others in the place of those", "other", other, write(other, "other"))
	v.step("a manifest in them", "more", "$HOME/.ekko/ipc/more.ekko.ipc.json", write("$HOME/.ekko/ipc/more.ekko.ipc.json", "more"))
	v.step("those removed", "other", "", remove("$HOME/.ekko"))
	v.step("a directory above moved back", "home", home, move("$HOME/.old", "$HOME/.ekko"))
	v.step("a manifest below it", "last", "$HOME/.ekko/ipc/last.ekko.ipc.json", write("$HOME/.ekko/ipc/last.ekko.ipc.json", "last"))

	v.step("a mapping file", "mapped", "$HOME/.ekko/ekko.ipc.config.json", func() {
		v.write("$HOME/.ekko/ekko.ipc.config.json", `{"services":{"mapped":"unix:/run/x.sock"}}`)
	})
	var l transport.Listener
	v.step("a socket", "running", "$RUN/running.sock", func() { l = v.serve("running") })
	v.step("a socket gone", "running", "", func() { l.Close() })
	v.step("a directory opened to others", "home", "", func() { v.chmod(v.path("$HOME/.ekko/ipc"), 0o777) })
}

func TestIsQuietAboutOtherFiles(t *testing.T) {
	w := &watcher{targets: []string{"/project", "/project/ipc", "/home/.ekko/ipc"}, armed: map[string]bool{"/project": true}}
	for _, test := range []struct {
		name    string
		op      fsnotify.Op
		matters bool
	}{
		{"/project/db.ekko.ipc.json", fsnotify.Write, true},
		{"/project/db.ekko.ipc.json", fsnotify.Chmod, true},
		{"/project/ekko.ipc.config.json", fsnotify.Create, true},
		{"/project/db.sock", fsnotify.Remove, true},
		{"/project/ipc", fsnotify.Create, true},
		{"/home/.ekko", fsnotify.Rename, true},
		{"/home", fsnotify.Create, true},
		{"/project", fsnotify.Chmod, true},
		{"/project/log.txt", fsnotify.Write, false},
		{"/project/log.txt", fsnotify.Create, false},
		{"/project/ipc2", fsnotify.Create, false},
		{"/home/db.ekko.ipc.json", fsnotify.Create, false},
		{"/home/.ekko/ipc-old", fsnotify.Create, false},
		{"/project/ipc/deeper/db.ekko.ipc.json", fsnotify.Create, false},
	} {
		if got := w.matters(fsnotify.Event{Name: test.name, Op: test.op}); got != test.matters {
			t.Errorf("%v of %s matters: %v", test.op, test.name, got)
		}
	}
}

func TestEndsWithItsContext(t *testing.T) {
	v := newWatched(t)
	v.stop()
	<-v.ended
	// The test's goroutine writes this alone now, or the race detector
	// speaks up.
	v.ok = func() bool { t.Error("told of a change after the end"); return false }
	v.write("$WORK/db.ekko.ipc.json", manifestOf("db"))
}

// TestIsDebounced: changes that come together are told of once, and
// those that do not cease are told of all the same, after ten times as long.
func TestIsDebounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{
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
		ours := fsnotify.Event{Name: "/target/db.ekko.ipc.json", Op: fsnotify.Write}
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
