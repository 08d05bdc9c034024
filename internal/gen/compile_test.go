//go:build !race

// What is checked here runs in other processes: the race detector sees none of
// it, so once is enough.

package gen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGoldenTypeScriptCompiles compiles each golden file by itself.
func TestGoldenTypeScriptCompiles(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			if out := compile(t, compilers[0], oldestLibrary, filepath.Join("testdata", name, "ekko-env.d.ts")); out != "" {
				t.Error(out)
			}
		})
	}
}

// complaint is how a compiler names a place.
var complaint = regexp.MustCompile(`(?m)^.*?(\w+(?:\.d)?\.ts)\((\d+),\d+\): error (TS\d+):`)

// TestPrograms compiles, with each compiler and all services together, a
// program of what is right and one of what is wrong: each line of the latter
// is an error of the kind that stands behind it, and nothing else is one.
func TestPrograms(t *testing.T) {
	var services []Service
	for _, name := range cases(t) {
		m := load(t, name)
		services = append(services, Service{m.Service.Name, m})
	}
	types := filepath.Join(t.TempDir(), "ekko-env.d.ts")
	if err := os.WriteFile(types, TypeScript(services), 0o644); err != nil {
		t.Fatal(err)
	}
	want := append(mistakes(t, "testdata/shop/package.ts"), mistakes(t, "testdata/shop/wrong.ts")...)
	for _, compiler := range compilers {
		t.Run(compiler, func(t *testing.T) {
			out := compile(t, compiler, "es2020", types, "testdata/shop/right.ts", "testdata/shop/package.ts", "testdata/shop/wrong.ts")
			var got []string
			for _, m := range complaint.FindAllStringSubmatch(out, -1) {
				got = append(got, m[1]+":"+m[2]+": "+m[3])
			}
			slices.SortStableFunc(got, func(a, b string) int { return strings.Compare(a[:2], b[:2]) }) // by file
			if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
				t.Errorf("%s\n%s", diff, out)
			}
		})
	}
}

// mistakes are the errors that a program says it has.
func mistakes(t *testing.T, path string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		if _, number, ok := strings.Cut(line, "// TS"); ok {
			list = append(list, fmt.Sprintf("%s:%d: TS%s", filepath.Base(path), i+1, number))
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s has no mistakes", path)
	}
	return list
}

// TestDrawnTypeScriptCompiles gives the compilers what is drawn.
func TestDrawnTypeScriptCompiles(t *testing.T) {
	var services []Service
	for seed := range 120 {
		services = append(services, Service{fmt.Sprint("drawn", seed), goodManifest().Example(seed)})
	}
	path := filepath.Join(t.TempDir(), "ekko-env.d.ts")
	if err := os.WriteFile(path, TypeScript(services), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, compiler := range compilers {
		if out := compile(t, compiler, oldestLibrary, path); out != "" {
			t.Errorf("%s: %.4000s", compiler, out)
		}
	}
}

// TestGoldenGoIsVetted compiles and vets the golden packages, as what users
// have would be: under this module they import the library itself.
func TestGoldenGoIsVetted(t *testing.T) {
	args := []string{"vet"}
	for _, name := range cases(t) {
		args = append(args, "./testdata/"+name)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// compilers are the releases of TypeScript that what is written is held to.
var compilers = []string{"typescript", "typescript-5"}

// oldestLibrary is the oldest library that a project can do with; the npm package
// wants that of 2020.
const oldestLibrary = "es2018"

// settings are those of a project that has nothing else.
const settings = `{
  "compilerOptions": {
    "strict": true, "noEmit": true, "types": [], "lib": ["$LIB"], "target": "es2018",
    "module": "es2020", "moduleResolution": "bundler", "pretty": false,
    "paths": { "@ekkojs/ipc": ["$PACKAGE"] }
  },
  "files": ["$FILES"]
}`

// compile runs a TypeScript compiler on files, and returns what it complains
// of.
func compile(t *testing.T, compiler, lib string, files ...string) string {
	t.Helper()
	tsc := filepath.Join("testdata", "tsc", "node_modules", compiler, "bin", "tsc")
	if _, err := os.Stat(tsc); errors.Is(err, fs.ErrNotExist) {
		if testing.Short() {
			t.Skip(compiler + " is not installed")
		}
		t.Fatalf("%v\nrun `npm ci` in internal/gen/testdata/tsc, or use -short", err)
	}
	for i, file := range files {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = filepath.ToSlash(path)
	}
	npm, err := filepath.Abs("../../js/index.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	project := filepath.Join(t.TempDir(), "tsconfig.json")
	text := strings.NewReplacer("$FILES", strings.Join(files, `", "`), "$LIB", lib, "$PACKAGE", filepath.ToSlash(npm)).Replace(settings)
	if err := os.WriteFile(project, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("node", tsc, "-p", project).CombinedOutput()
	if _, complains := errors.AsType[*exec.ExitError](err); err != nil && !complains {
		t.Fatal(err)
	}
	return string(out)
}
