package main

import (
	"context"
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// modules are the folders with a go.mod, the root first.
var modules = []string{"", "bench", "internal/tools"}

// goFiles returns every Go file of the repository, of all modules.
func goFiles() (files []string, err error) {
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && skipDir(d.Name()):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ".go"):
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

func skipDir(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "node_modules" || name == "testdata"
}

func gofmt(ctx context.Context, _ *runner) error {
	files, err := goFiles()
	if err != nil {
		return err
	}
	tool := filepath.Join(build.Default.GOROOT, "bin", "gofmt")
	text, err := inRoot(append([]string{tool, "-l"}, files...)...).output(ctx)
	if err != nil {
		return fmt.Errorf("%s%w", ensureNewline(text), err)
	}
	if text != "" {
		return errors.New("not as gofmt writes them:\n" + text)
	}
	return nil
}

// vet is for this system; cross vets for the others.
func vet(ctx context.Context, _ *runner) (err error) {
	for _, dir := range modules {
		err = errors.Join(err, in(dir, "go", "vet", "./...").quiet(ctx))
	}
	return errors.Join(err, inRoot("go", "vet", "-tags", "overload stalled", ".").quiet(ctx)) // what make overload and make stalled run
}

func staticcheck(ctx context.Context, r *runner) error {
	tool, err := filepath.Abs(".build/staticcheck")
	if err != nil {
		return err
	}
	if err := in("internal/tools", "go", "build", "-o", tool, "honnef.co/go/tools/cmd/staticcheck").quiet(ctx); err != nil {
		return err
	}
	for _, dir := range modules {
		err = errors.Join(err, in(dir, tool, "./...").quiet(ctx))
	}
	return err
}

// cross compiles and vets for every system that is supported and that is not
// this one. The tests of those systems are vetted too, but cannot be run here.
func cross(ctx context.Context, r *runner) (err error) {
	for _, system := range []string{"windows", "darwin", "freebsd", "linux"} {
		for _, arch := range []string{"amd64", "arm64"} {
			if system == runtime.GOOS && arch == runtime.GOARCH {
				continue
			}
			begin := time.Now()
			if failed := crossOne(ctx, system, arch); failed != nil {
				err = errors.Join(err, failed)
				continue
			}
			fmt.Fprintf(r.out, "ok   %-15s %30s %8s\n", system+"/"+arch, "", seconds(time.Since(begin)))
		}
	}
	return err
}

// crossOne leaves the symbol tables out of what it links: nobody will run it,
// and it takes half the time.
func crossOne(ctx context.Context, system, arch string) error {
	env := []string{"GOOS=" + system, "GOARCH=" + arch, "CGO_ENABLED=0"}
	if err := inRoot("go", "build", "-ldflags=-s -w", "./...").with(env...).quiet(ctx); err != nil {
		return err
	}
	return inRoot("go", "vet", "./...").with(env...).quiet(ctx)
}
