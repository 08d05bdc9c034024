//go:build unix

package registry

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ekkojs/ipc/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a machine with one user: a working, a home and a runtime
// directory, named $WORK, $HOME and $RUN in what a test compares.
type world struct {
	testing.TB
	root, work, home, run string
	*Registry
}

func newWorld(t testing.TB) *world {
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
	w := &world{TB: t, root: root, work: root + "/work", home: root + "/home", run: root + "/run"}
	for _, dir := range []string{w.work, w.home, w.run} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.(interface{ Setenv(string, string) }).Setenv("EKKO_IPC_RUNTIME_DIR", w.run)
	w.Registry = New(w.options(nil))
	return w
}

// options returns those of the world, with an environment of their own.
func (w *world) options(env map[string]string) *Options {
	return &Options{
		WorkDir: w.work, HomeDir: w.home,
		Getenv: func(name string) string { return env[name] },
	}
}

// write writes a file, making the directories above it.
func (w *world) write(path, text string) string {
	w.Helper()
	path = w.path(path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.Fatal(err)
	}
	// Whatever the umask of whoever runs the tests is.
	if err := os.Chmod(path, 0o644); err != nil {
		w.Fatal(err)
	}
	return path
}

func (w *world) path(path string) string {
	return strings.NewReplacer("$WORK", w.work, "$HOME", w.home, "$RUN", w.run).Replace(path)
}

// named replaces the directories in text by their names.
func (w *world) named(text string) string {
	return strings.NewReplacer(w.work, "$WORK", w.home, "$HOME", w.run, "$RUN").Replace(text)
}

// manifestOf is the text of the manifest of a service.
func manifestOf(name string) string {
	return fmt.Sprintf(`{"service":{"name":%q,"version":"1.0.0","transport":{"type":"auto"}}}`, name)
}

// serve listens on the socket of that name.
func (w *world) serve(name string) transport.Listener {
	w.Helper()
	path, err := transport.SocketPath(name)
	if err != nil {
		w.Fatal(err)
	}
	l, err := transport.Listen(context.Background(), "unix:"+path, nil)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { l.Close() })
	return l
}

func (w *world) mustResolve(name string) *Resolution {
	w.Helper()
	r, err := w.Resolve(context.Background(), name)
	if err != nil {
		w.Fatalf("resolve %s: %v", name, err)
	}
	return r
}

// placesText is a resolution's places, one a line.
func (w *world) placesText(places []Place) string {
	var b strings.Builder
	for _, p := range places {
		fmt.Fprintf(&b, "%s: %s\n", w.named(p.Path), w.named(p.Outcome))
	}
	return b.String()
}

// deadSocket leaves a socket behind that nobody serves, as a process does
// that is killed.
func deadSocket(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}
