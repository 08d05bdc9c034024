//go:build unix

package registry

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/ekkojs/ipc/wire"
)

// TestChangesAreSeenAtOnce changes what a warm registry remembers in each way
// there is; with and without the freshness that makes up for coarse clocks.
func TestChangesAreSeenAtOnce(t *testing.T) {
	for _, remembers := range []bool{false, true} {
		w := newWorld(t)
		if remembers {
			w.freshness = -1
		}
		where := func(name string) string {
			r, err := w.Resolve(context.Background(), name)
			if err != nil {
				return string(wire.CodeOf(err))
			}
			return w.named(r.Path) + " " + r.Manifest.Service.Version
		}
		expect := func(name, want string) {
			t.Helper()
			for range 2 { // cold and warm
				if got := where(name); got != want {
					t.Errorf("%s: %q instead of %q", name, got, want)
				}
			}
		}
		move := func(from, to string) {
			t.Helper()
			if err := os.Rename(w.path(from), w.path(to)); err != nil {
				t.Fatal(err)
			}
		}
		version := func(name, v string) string {
			return `{"service":{"name":"` + name + `","version":"` + v + `","transport":{"type":"auto"}}}`
		}
		expect("db", "SERVICE_NOT_FOUND")
		w.write("$HOME/.ekko/ipc/db.ekko.ipc.json", version("db", "1.0.0"))
		expect("db", "$HOME/.ekko/ipc/db.ekko.ipc.json 1.0.0")
		w.write("$HOME/.ekko/ipc/db.ekko.ipc.json", version("db", "2.0.0")) // as long as before
		expect("db", "$HOME/.ekko/ipc/db.ekko.ipc.json 2.0.0")
		w.write("$HOME/.ekko/ipc/db.ekko.ipc.json", version("db", "10.0.0"))
		expect("db", "$HOME/.ekko/ipc/db.ekko.ipc.json 10.0.0")
		w.write("$WORK/ipc/some.ekko.ipc.json", version("db", "3.0.0")) // a directory that was not there
		expect("db", "$WORK/ipc/some.ekko.ipc.json 3.0.0")
		w.write("$WORK/ipc/some.ekko.ipc.json", version("da", "3.0.0")) // describes another service now
		expect("db", "$HOME/.ekko/ipc/db.ekko.ipc.json 10.0.0")
		expect("da", "$WORK/ipc/some.ekko.ipc.json 3.0.0")
		w.write("$WORK/new", version("db", "4.0.0"))
		move("$WORK/new", "$WORK/ipc/some.ekko.ipc.json") // as editors save
		expect("db", "$WORK/ipc/some.ekko.ipc.json 4.0.0")
		expect("da", "SERVICE_NOT_FOUND")
		move("$WORK/ipc/some.ekko.ipc.json", "$WORK/ipc/more.ekko.ipc.json")
		expect("db", "$WORK/ipc/more.ekko.ipc.json 4.0.0")
		move("$WORK/ipc", "$WORK/services")
		expect("db", "$WORK/services/more.ekko.ipc.json 4.0.0")
		os.RemoveAll(w.path("$WORK/services"))
		expect("db", "$HOME/.ekko/ipc/db.ekko.ipc.json 10.0.0")
		os.Remove(w.path("$HOME/.ekko/ipc/db.ekko.ipc.json"))
		expect("db", "SERVICE_NOT_FOUND")

		w.write("$WORK/m.ekko.ipc.json", version("mapped", "1.0.0"))
		w.write("$WORK/ekko.ipc.config.json", `{"services":{"db":"m.ekko.ipc.json"}}`)
		expect("db", "$WORK/m.ekko.ipc.json 1.0.0")
		w.write("$WORK/m.ekko.ipc.json", version("mapped", "2.0.0"))
		expect("db", "$WORK/m.ekko.ipc.json 2.0.0")
		w.write("$WORK/ekko.ipc.config.json", `{"services":{"dc":"m.ekko.ipc.json"}}`)
		expect("db", "SERVICE_NOT_FOUND")
		expect("dc", "$WORK/m.ekko.ipc.json 2.0.0")
	}
}

func TestWarmResolveReadsNothing(t *testing.T) {
	w := newWorld(t)
	w.freshness = -1
	w.write("$WORK/other.ekko.ipc.json", manifestOf("other"))
	w.write("$WORK/.ekko/ipc/x.ekko.ipc.json", manifestOf("db"))
	cold, warm := w.mustResolve("db"), w.mustResolve("db")
	if cold.Manifest != warm.Manifest {
		t.Error("an unchanged manifest was read again")
	}
	if w.placesText(cold.Places) != w.placesText(warm.Places) {
		t.Error("the places differ when warm")
	}
}

// TestFreshFilesAreNotTrusted: what changed a moment ago may change again
// without its stamp showing it.
func TestFreshFilesAreNotTrusted(t *testing.T) {
	w := newWorld(t)
	w.write("$WORK/db.ekko.ipc.json", manifestOf("db"))
	first, second := w.mustResolve("db"), w.mustResolve("db")
	if first.Manifest == second.Manifest {
		t.Error("a manifest just written was remembered")
	}
}

func TestConcurrentUse(t *testing.T) {
	w := newWorld(t)
	w.write("$WORK/ekko.ipc.config.json", `{"services":{"mapped":"unix:/run/x.sock"}}`)
	w.write("$WORK/ipc/other.ekko.ipc.json", manifestOf("other"))
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 30 {
				if i == 0 {
					w.write("$WORK/ipc/db.ekko.ipc.json", manifestOf("db"))
					os.Remove(w.path("$WORK/ipc/db.ekko.ipc.json"))
				}
				for _, name := range []string{"other", "mapped"} {
					if _, err := w.Resolve(context.Background(), name); err != nil {
						t.Error(err)
					}
				}
				if _, err := w.List(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func TestManyWorkingDirectoriesAreForgotten(t *testing.T) {
	w := newWorld(t)
	r := New(&Options{Getenv: func(string) string { return "" }, HomeDir: w.home})
	for range 3 * maxDirs {
		dir, err := os.MkdirTemp(w.work, "")
		if err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		if _, err := r.Resolve(context.Background(), "db"); !errors.Is(err, wire.CodeServiceNotFound) {
			t.Fatal(err)
		}
	}
	if len(r.folders) > 5*maxDirs || len(r.mappings) > 2*maxDirs {
		t.Errorf("%d folders and %d mapping files are remembered", len(r.folders), len(r.mappings))
	}
}
