//go:build unix

package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ekkojs/ipc/wire"
)

// TestF11_ModesOfManifests goes through every mode of the file.
func TestF11_ModesOfManifests(t *testing.T) {
	w := newWorld(t)
	path := w.write("$WORK/db.ekko.ipc.json", manifestOf("db"))
	for mode := os.FileMode(0); mode <= 0o777; mode++ {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := w.Resolve(context.Background(), "db")
		readable := mode&0o400 != 0 || os.Geteuid() == 0
		switch {
		case mode&0o022 != 0 && readable:
			if !errors.Is(err, wire.CodeUntrustedPeer) || !strings.Contains(err.Error(), fmt.Sprintf("%04o", mode)) {
				t.Fatalf("%04o: %v", mode, err)
			}
		case !readable:
			if !errors.Is(err, wire.CodeServiceNotFound) {
				t.Fatalf("%04o: %v", mode, err)
			}
		case err != nil:
			t.Fatalf("%04o: %v", mode, err)
		}
	}
}

// TestF11_ModesOfDirectories is the table of what may be the directory of a
// manifest, and what may be above it.
func TestF11_ModesOfDirectories(t *testing.T) {
	for _, test := range []struct {
		dir, above os.FileMode
		use        bool
	}{
		{0o700, 0o700, true},
		{0o755, 0o755, true},
		{0o755, 0o777 | os.ModeSticky, true}, // as /tmp is
		{0o775, 0o755, false},
		{0o757, 0o755, false},
		{0o777, 0o755, false},
		{0o777 | os.ModeSticky, 0o755, false}, // others can add files
		{0o755, 0o775, false},
		{0o755, 0o777, false},
	} {
		t.Run(fmt.Sprintf("%v in %v", test.dir, test.above), func(t *testing.T) {
			w := newWorld(t)
			path := w.write("$WORK/ipc/db.ekko.ipc.json", manifestOf("db"))
			w.write("$HOME/.ekko/ipc/db.ekko.ipc.json", manifestOf("db"))
			chmod(t, filepath.Dir(path), test.dir)
			chmod(t, w.work, test.above)
			r := w.mustResolve("db")
			if used := r.Path == path; used != test.use {
				t.Errorf("found in %s", r.Path)
			}
			places := w.placesText(r.Places)
			if refused := strings.Contains(places, "$WORK/ipc: refused: "); refused == test.use {
				t.Error(places)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// strange gives path to another user.
func strange(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	if err := os.Lchown(path, 1000, 1000); err != nil {
		t.Fatal(err)
	}
}

func TestF11_ForeignManifestIsPassedOver(t *testing.T) {
	w := newWorld(t)
	path := w.write("$WORK/db.ekko.ipc.json", manifestOf("db"))
	strange(t, path)
	_, err := w.Resolve(context.Background(), "db")
	if !errors.Is(err, wire.CodeServiceNotFound) || !strings.Contains(err.Error(), path+": refused: it belongs to uid 1000") {
		t.Errorf("%v", err)
	}
	// It cannot keep the real one from being found either.
	w.write("$HOME/.ekko/ipc/db.ekko.ipc.json", manifestOf("db"))
	if r := w.mustResolve("db"); w.named(r.Path) != "$HOME/.ekko/ipc/db.ekko.ipc.json" {
		t.Errorf("found in %s", r.Path)
	}
	// Nor under another file's name, nor broken.
	if err := os.Rename(path, w.work+"/a.ekko.ipc.json"); err != nil {
		t.Fatal(err)
	}
	broken := w.write("$WORK/db.ekko.ipc.json", "{")
	strange(t, broken)
	if r := w.mustResolve("db"); w.named(r.Path) != "$HOME/.ekko/ipc/db.ekko.ipc.json" {
		t.Errorf("found in %s", r.Path)
	}
}

func TestF11_ForeignDirectoryIsPassedOver(t *testing.T) {
	w := newWorld(t)
	w.write("$WORK/ipc/db.ekko.ipc.json", manifestOf("db"))
	w.write("$WORK/ekko.ipc.config.json", `{"services": {"db": "unix:/evil.sock"}}`)
	strange(t, w.work)
	_, err := w.Resolve(context.Background(), "db")
	if !errors.Is(err, wire.CodeServiceNotFound) || strings.Count(err.Error(), "refused: ") < 3 {
		t.Errorf("%v", err)
	}
}

// TestF11_DirectoryExchanged is somebody who puts his own directory in the
// place of one that was found safe before.
func TestF11_DirectoryExchanged(t *testing.T) {
	w := newWorld(t)
	w.freshness = -1 // so that it is remembered at once
	w.write("$WORK/ipc/db.ekko.ipc.json", manifestOf("db"))
	w.mustResolve("db")
	if err := os.Rename(w.work+"/ipc", w.work+"/old"); err != nil {
		t.Fatal(err)
	}
	w.write("$WORK/ipc/db.ekko.ipc.json", manifestOf("db"))
	chmod(t, w.work+"/ipc", 0o777)
	if _, err := w.Resolve(context.Background(), "db"); !errors.Is(err, wire.CodeServiceNotFound) {
		t.Errorf("%v", err)
	}
	chmod(t, w.work+"/ipc", 0o755)
	w.mustResolve("db")
	chmod(t, w.work+"/ipc/db.ekko.ipc.json", 0o666)
	if _, err := w.Resolve(context.Background(), "db"); !errors.Is(err, wire.CodeUntrustedPeer) {
		t.Errorf("opened to others after it was read: %v", err)
	}
}

func TestF11_MappingFile(t *testing.T) {
	w := newWorld(t)
	path := w.write("$WORK/ekko.ipc.config.json", `{"services": {"db": "unix:/run/x.sock"}}`)
	w.mustResolve("db")
	chmod(t, path, 0o666)
	if _, err := w.Resolve(context.Background(), "db"); !errors.Is(err, wire.CodeUntrustedPeer) {
		t.Errorf("writable by others: %v", err)
	}
	chmod(t, path, 0o644)
	strange(t, path)
	if _, err := w.Resolve(context.Background(), "db"); !errors.Is(err, wire.CodeServiceNotFound) || !strings.Contains(err.Error(), path+": refused: ") {
		t.Errorf("of another user: %v", err)
	}
}

// TestF12_ClaimedNames: what comes later on the way cannot take a name, and
// neither can a socket of another user.
func TestF12_ClaimedNames(t *testing.T) {
	w := newWorld(t)
	own := w.write("$WORK/db.ekko.ipc.json", manifestOf("db"))
	w.write("$WORK/ipc/db.ekko.ipc.json", manifestOf("db"))
	w.write("$WORK/aaa.ekko.ipc.json", manifestOf("db"))
	w.serve("db")
	if r := w.mustResolve("db"); r.Path != own {
		t.Errorf("found in %s", r.Path)
	}
	problems, err := w.Problems(context.Background())
	if err != nil || len(problems) != 2 || !strings.Contains(problems[0].Outcome, "hidden") {
		t.Errorf("the claims are not told of: %v %v", problems, err)
	}
	// A file cannot pass for another service than the one it describes.
	w.write("$WORK/mail.ekko.ipc.json", manifestOf("db"))
	if _, err := w.Resolve(context.Background(), "mail"); !errors.Is(err, wire.CodeServiceNotFound) {
		t.Errorf("%v", err)
	}
}

func TestClosedDirectoriesArePassedOver(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("no directory is closed to root")
	}
	w := newWorld(t)
	for _, dir := range []string{"$WORK/ipc", "$HOME/.ekko"} {
		w.write(dir+"/ipc/x", "")
		chmod(t, w.path(dir), 0)
		t.Cleanup(func() { chmod(t, w.path(dir), 0o700) })
	}
	w.write("$HOME/.ekkojs/ipc/db.ekko.ipc.json", manifestOf("db"))
	r := w.mustResolve("db")
	if places := w.placesText(r.Places); strings.Count(places, ": permission denied") < 2 {
		t.Error(places)
	}
	if _, err := w.Resolve(context.Background(), "other"); !errors.Is(err, wire.CodeServiceNotFound) || !strings.Contains(err.Error(), "looked at:") {
		t.Errorf("%v", err)
	}
}

func TestPipesDoNotBlock(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"$WORK/db.ekko.ipc.json", "$HOME/.ekko/ekko.ipc.config.json"} {
		path = w.path(path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		makePipe(t, path)
		if _, err := w.Resolve(context.Background(), "db"); !errors.Is(err, wire.CodeUntrustedPeer) {
			t.Errorf("%s: %v", path, err)
		}
		os.Remove(path)
	}
}

// makePipe makes a filesystem pipe.
func makePipe(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}
