//go:build unix

package registry

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

func TestSearchPath(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct {
		what string
		o    *Options
		want []string
	}{
		{"default", w.options(nil), []string{
			"$WORK", "$WORK/ipc", "$WORK/.ekko/ipc", "$WORK/services", "$HOME/.ekko/ipc", "$HOME/.ekkojs/ipc", "/etc/ekko/ipc",
		}},
		{"the environment replaces it", w.options(map[string]string{EnvPath: "/a/b/::rel/./x:/a/b:"}), []string{"/a/b", "$WORK/rel/x"}},
		{"options replace both", &Options{Dirs: []string{"d"}, WorkDir: w.work, Getenv: func(string) string { return "/e" }}, []string{"$WORK/d"}},
		{"the working directory is home", &Options{WorkDir: w.work, HomeDir: w.work, Getenv: func(string) string { return "" }}, []string{
			"$WORK", "$WORK/ipc", "$WORK/.ekko/ipc", "$WORK/services", "$WORK/.ekkojs/ipc", "/etc/ekko/ipc",
		}},
	} {
		t.Run(test.what, func(t *testing.T) {
			var got []string
			for _, dir := range New(test.o).SearchPath() {
				got = append(got, w.named(dir))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	long := strings.Repeat("/d", 1) + strings.Repeat(":/d/d", 1)
	for i := range 200 {
		long += ":/x" + strings.Repeat("y", i)
	}
	if got := New(w.options(map[string]string{EnvPath: long})).SearchPath(); len(got) != maxDirs {
		t.Errorf("%d directories", len(got))
	}
}

func TestFirstHitWins(t *testing.T) {
	w := newWorld(t)
	// From the last place to the first: each new one hides those before.
	for _, path := range []string{
		"$HOME/.ekkojs/ipc/db.ekko.ipc.json",
		"$HOME/.ekko/ipc/db.ekko.ipc.json",
		"$WORK/services/whatever.ekko.ipc.json",
		"$WORK/.ekko/ipc/db.ekko.ipc.json",
		"$WORK/ipc/db.ekko.ipc.json",
		"$WORK/other.ekko.ipc.json",
		"$WORK/another.ekko.ipc.json", // sorted before
		"$WORK/db.ekko.ipc.json",      // the file's name counts first
	} {
		w.write(path, manifestOf("db"))
		r := w.mustResolve("db")
		if got := w.named(r.Path); got != path {
			t.Fatalf("found in %s instead of %s", got, path)
		}
		if r.Source != SourceManifest || r.Name != "db" || r.Manifest.Service.Name != "db" || r.Address != "unix:"+w.run+"/db.sock" {
			t.Errorf("%+v", r)
		}
	}
}

func TestPlacesTellTheWay(t *testing.T) {
	w := newWorld(t)
	w.write("$WORK/db.ekko.ipc.json", manifestOf("database"))
	w.write("$WORK/bad.ekko.ipc.json", "{\n  \"service\": 5\n}")
	w.write("$WORK/.ekko/ipc/cache.ekko.ipc.json", manifestOf("cache"))
	w.write("$WORK/services", "not a directory")
	w.write("$HOME/.ekko/ipc/any.ekko.ipc.json", manifestOf("db"))
	got := w.placesText(w.mustResolve("db").Places)
	bad := strings.TrimPrefix(got[strings.Index(got, "broken: "):], "broken: ")
	bad, _, _ = strings.Cut(bad, "\n") // package manifest's words
	want := `$WORK/db.ekko.ipc.json: describes "database"
$WORK/bad.ekko.ipc.json: broken: ` + bad + `
$WORK: no match in 1 manifest
$WORK/ipc: not there
$WORK/.ekko/ipc: no match in 1 manifest
$WORK/services: not a directory
$HOME/.ekko/ipc/any.ekko.ipc.json: found
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(bad, "2:") {
		t.Errorf("the broken manifest's place is %q", bad)
	}
}

func TestNotFoundNamesEveryPlace(t *testing.T) {
	w := newWorld(t)
	w.write("$WORK/ipc/database-service.ekko.ipc.json", manifestOf("database-service"))
	w.write("$HOME/.ekko/ekko.ipc.config.json", `{"services":{"cache":"unix:/run/cache.sock"}}`)
	_, err := w.Resolve(context.Background(), "databse-service")
	want := `SERVICE_NOT_FOUND: service "databse-service" not found; did you mean "database-service"?
looked at:
  $WORK: no manifests
  $WORK/ipc: no match in 1 manifest
  $WORK/.ekko/ipc: not there
  $WORK/services: not there
  $HOME/.ekko/ipc: not there
  $HOME/.ekkojs/ipc: not there
  /etc/ekko/ipc: not there
  $WORK/ekko.ipc.config.json: not there
  $HOME/.ekko/ekko.ipc.config.json: does not map the name
  $RUN/databse-service.sock: not there`
	if diff := cmp.Diff(want, w.named(err.Error())); diff != "" {
		t.Error(diff)
	}
	notFound, ok := errors.AsType[*NotFound](err)
	if !ok || notFound.Suggestion != "database-service" || len(notFound.Places) != 10 || !errors.Is(err, wire.CodeServiceNotFound) {
		t.Errorf("%#v", err)
	}
}

func TestSuggestionsComeFromEverywhere(t *testing.T) {
	w := newWorld(t)
	w.write("$HOME/.ekko/ekko.ipc.config.json", `{"services":{"mapped":"unix:/run/cache.sock"}}`)
	w.write("$WORK/x.ekko.ipc.json", manifestOf("written"))
	w.serve("running")
	for name, want := range map[string]string{"maped": "mapped", "writen": "written", "runing": "running", "elsewhere": ""} {
		_, err := w.Resolve(context.Background(), name)
		if notFound, ok := errors.AsType[*NotFound](err); !ok || notFound.Suggestion != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPathsInErrorsCannotForgeLines(t *testing.T) {
	w := newWorld(t)
	dir := filepath.Join(w.work, "a\n  /etc/ekko/ipc: found")
	r := New(&Options{Dirs: []string{dir}, WorkDir: w.work, HomeDir: w.home, Getenv: func(string) string { return "" }})
	_, err := r.Resolve(context.Background(), "db")
	if err == nil || strings.Contains(err.Error(), "\n  /etc/ekko/ipc: found") {
		t.Errorf("%v", err)
	}
}

func TestInvalidNamesAreNotLookedFor(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"", "../db", "a/b", "a..b", "a b", "db\x00", "*", strings.Repeat("x", 256)} {
		_, err := w.Resolve(context.Background(), name)
		if !errors.Is(err, wire.CodeInvalidName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	// The longest name there is has no room in a file's name; that is no
	// reason to fail.
	w.write("$WORK/long.ekko.ipc.json", manifestOf(strings.Repeat("x", 255)))
	if r, err := w.Resolve(context.Background(), strings.Repeat("x", 255)); err != nil || r.Manifest == nil {
		t.Error(err)
	}
}

func TestBrokenManifestOfTheNameIsAnError(t *testing.T) {
	w := newWorld(t)
	path := w.write("$WORK/db.ekko.ipc.json", "{\n  \"service\": {\"name\": \"db\",}\n}")
	w.write("$HOME/.ekko/ipc/db.ekko.ipc.json", manifestOf("db")) // must not be used instead
	_, err := w.Resolve(context.Background(), "db")
	if !errors.Is(err, wire.CodeServiceNotFound) || !strings.Contains(err.Error(), path+":2:") {
		t.Errorf("%v", err)
	}
	if _, ok := errors.AsType[*manifest.SyntaxError](err); !ok {
		t.Errorf("the cause is not there: %#v", err)
	}
	// Other services do not mind.
	w.write("$WORK/cache.ekko.ipc.json", manifestOf("cache"))
	w.mustResolve("cache")
	// A directory of that name is no manifest either.
	if err := os.Mkdir(w.path("$WORK/odd.ekko.ipc.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Resolve(context.Background(), "odd"); err == nil {
		t.Error("a directory was read")
	}
}

func TestLivingSocketIsTheLastResort(t *testing.T) {
	w := newWorld(t)
	w.serve("database-service")
	r := w.mustResolve("database-service")
	if r.Source != SourceRuntime || r.Manifest != nil || r.Address != "unix:"+w.run+"/database-service.sock" {
		t.Errorf("%+v", r)
	}
	w.write("$WORK/ipc/database-service.ekko.ipc.json", manifestOf("database-service"))
	if r := w.mustResolve("database-service"); r.Source != SourceManifest {
		t.Errorf("%+v", r)
	}
	// What is dead, or no socket at all, is not found, and says why.
	deadSocket(t, w.run+"/dead.sock")
	w.write("$RUN/file.sock", "")
	for name, why := range map[string]string{"dead": "nobody is listening", "file": "not a socket"} {
		if _, err := w.Resolve(context.Background(), name); err == nil || !strings.Contains(err.Error(), name+".sock: "+why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResolveObeysContext(t *testing.T) {
	w := newWorld(t)
	w.write("$WORK/db.ekko.ipc.json", manifestOf("db"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Resolve(ctx, "db"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := w.List(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
