package gen

import (
	"fmt"
	"os"
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
