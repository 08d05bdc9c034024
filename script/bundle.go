package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

// bundle is the app as one module.
type bundle struct {
	text  string
	entry string // the app's file, as messages name it

	once   sync.Once // the map is read when the first stack is shown
	mapped []byte
	parsed *sourceMap
}

func (b *bundle) sourceMap() *sourceMap {
	b.once.Do(func() {
		var err error
		if b.parsed, err = parseSourceMap(b.mapped); err != nil {
			b.parsed = &sourceMap{} // places stay as they are
		}
		b.mapped = nil
	})
	return b.parsed
}

// bundleApp joins the app's files into one module of plain JavaScript:
// TypeScript loses its types, what the engine lacks is rewritten, and
// services become small modules made for them. The error is for people: one
// paragraph for each thing that is wrong, with its place.
func bundleApp(ctx context.Context, file, dir string, resolve resolver) (*bundle, error) {
	entry := relativeTo(dir, file)
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		if err == nil {
			err = errors.New("it is a directory")
		}
		return nil, fmt.Errorf("cannot read %s: %w", entry, pathless(err))
	}
	result := api.Build(api.BuildOptions{
		EntryPoints:   []string{file},
		AbsWorkingDir: dir,
		Outfile:       filepath.Join(dir, "ekko-app.js"), // never written; sources are relative to it
		Bundle:        true,
		Format:        api.FormatESModule,
		Platform:      api.PlatformNeutral,
		MainFields:    []string{"module", "main"},
		Conditions:    []string{"ekko", "module"},
		Target:        api.ESNext,
		Supported:     lowered,
		Sourcemap:     api.SourceMapExternal,
		// The map's copies of the sources would double its size for nothing.
		SourcesContent: api.SourcesContentExclude,
		LogLevel:       api.LogLevelSilent,
		Loader:         map[string]api.Loader{".mjs": api.LoaderJS, ".cjs": api.LoaderJS},
		Plugins:        []api.Plugin{appPlugin(ctx, file, resolve)},
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(result.Errors) > 0 {
		return nil, describeErrors(result.Errors)
	}
	b := &bundle{entry: entry}
	for _, out := range result.OutputFiles {
		if strings.HasSuffix(out.Path, ".map") {
			b.mapped = out.Contents
		} else {
			b.text = string(out.Contents)
		}
	}
	return b, nil
}

// lowered are the parts of the language that the engine lacks.
var lowered = map[string]bool{
	"using":      false,
	"decorators": false,
}

// describeErrors puts each error on a line of its own, and what else there is
// to say below it.
func describeErrors(list []api.Message) error {
	var b strings.Builder
	for i, m := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		describeMessage(&b, m.Location, "error: "+m.Text)
		for _, note := range m.Notes {
			b.WriteByte('\n')
			describeMessage(&b, note.Location, note.Text)
		}
	}
	return errors.New(b.String())
}

func describeMessage(b *strings.Builder, at *api.Location, text string) {
	if at != nil && (at.Namespace == "" || at.Namespace == "file") { // there is nothing to see in a module made for a service
		fmt.Fprintf(b, "%s:%d:%d: ", at.File, at.Line, at.Column+1)
	}
	b.WriteString(text)
}

// relativeTo names path as briefly as it can be found from dir.
func relativeTo(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}

// pathless takes the path out of a file error: the message has it already.
func pathless(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}
