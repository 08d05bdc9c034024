package gen

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

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
