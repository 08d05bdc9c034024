package script

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/evanw/esbuild/pkg/api"
)

// resolver finds a service by its name.
type resolver func(ctx context.Context, name string) (*Target, error)

// resolveTimeout bounds how long an import of a service may take to fail.
const resolveTimeout = 2 * time.Second

// The prefixes of specifiers that are not files, and the namespaces in which
// the bundler keeps them.
const (
	ipcScheme  = "ipc:"
	nodeScheme = "node:"

	ipcSpace    = "ipc"
	faceSpace   = "npm"
	nodeSpace   = "node"
	brokenSpace = "broken"
)

// appPlugin resolves what is not a file of the app: services, @ekkojs/ipc, and
// the few parts of Node that are here too.
func appPlugin(ctx context.Context, entry string, resolve resolver) api.Plugin {
	p := &imports{ctx: ctx, entry: entry, resolve: resolve}
	return api.Plugin{Name: "ekko", Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: `^ipc:`}, p.service)
		build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: ipcSpace}, p.loadService)
		build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: brokenSpace}, p.loadBroken)

		build.OnResolve(api.OnResolveOptions{Filter: `^@ekkojs/ipc$`}, func(api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: "@ekkojs/ipc", Namespace: faceSpace}, nil
		})
		build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: faceSpace}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
			text := "export { " + strings.Join(faceExports, ", ") + " } from '" + faceModule + "'"
			return api.OnLoadResult{Contents: &text}, nil
		})
		build.OnResolve(api.OnResolveOptions{Filter: `^ekko:`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			if args.Namespace == "file" {
				return refused("%q is not for apps: import from '@ekkojs/ipc'", args.Path)
			}
			return api.OnResolveResult{Path: args.Path, External: true}, nil
		})

		build.OnResolve(api.OnResolveOptions{Filter: `^node:`}, p.node)
		build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: nodeSpace}, p.loadNode)
		build.OnResolve(api.OnResolveOptions{Filter: `^[^./]`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			return p.bare(build, args)
		})
		build.OnLoad(api.OnLoadOptions{Filter: `\.[cm]?[jt]sx?$`}, p.loadFile)
	}}
}

// imports is what the plugin's functions share. They run on several
// goroutines at once.
type imports struct {
	ctx     context.Context
	entry   string
	resolve resolver
}

// service finds a service. One that is missing is an error of the import, but
// for import(), whose promise is rejected when the app gets there.
func (p *imports) service(args api.OnResolveArgs) (api.OnResolveResult, error) {
	name := strings.TrimPrefix(args.Path, ipcScheme)
	text, err := p.module(name)
	switch {
	case err == nil:
		return api.OnResolveResult{Path: name, Namespace: ipcSpace, PluginData: text}, nil
	case args.Kind == api.ResolveJSDynamicImport:
		return api.OnResolveResult{Path: name, Namespace: brokenSpace, PluginData: failingModule(name, err)}, nil
	}
	return refused("cannot import '%s': %v", args.Path, coded(err))
}

func (p *imports) module(name string) (string, error) {
	ctx, cancel := context.WithTimeout(p.ctx, resolveTimeout)
	defer cancel()
	target, err := p.resolve(ctx, name)
	if err != nil {
		return "", err
	}
	return serviceModule(target), nil
}

func (p *imports) loadService(args api.OnLoadArgs) (api.OnLoadResult, error) {
	text := args.PluginData.(string)
	return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
}

func (p *imports) loadBroken(args api.OnLoadArgs) (api.OnLoadResult, error) {
	return p.loadService(args)
}

// refused makes the error of an import.
func refused(format string, args ...any) (api.OnResolveResult, error) {
	return api.OnResolveResult{Errors: []api.Message{{Text: fmt.Sprintf(format, args...)}}}, nil
}

// ours marks a question that the plugin itself asks the bundler.
type ours struct{}

// bare looks for a package in node_modules, which pure JavaScript may well
// come from.
func (p *imports) bare(build api.PluginBuild, args api.OnResolveArgs) (api.OnResolveResult, error) {
	if args.Kind == api.ResolveEntryPoint || args.PluginData == (ours{}) {
		return api.OnResolveResult{}, nil
	}
	if filepath.IsAbs(args.Path) {
		return api.OnResolveResult{}, nil
	}
	found := build.Resolve(args.Path, api.ResolveOptions{
		Importer: args.Importer, ResolveDir: args.ResolveDir, Kind: args.Kind, Namespace: args.Namespace, PluginData: ours{},
	})
	switch {
	case len(found.Errors) == 0:
		return api.OnResolveResult{Path: found.Path, Namespace: found.Namespace, External: found.External, PluginData: found.PluginData}, nil
	case nodeBuiltins[args.Path]:
		return p.node(api.OnResolveArgs{Path: nodeScheme + args.Path})
	}
	return refused("cannot find the package %q in any node_modules: install it, or run the app with --runtime node", args.Path)
}

// loadFile writes the place of a file into those that ask for it: in a bundle
// import.meta is one and the same for all.
func (p *imports) loadFile(args api.OnLoadArgs) (api.OnLoadResult, error) {
	text, err := os.ReadFile(args.Path)
	if err != nil || !strings.Contains(string(text), "import.meta") {
		return api.OnLoadResult{}, nil // the bundler reads it, or says why not
	}
	loader := loaders[filepath.Ext(args.Path)]
	at := url.URL{Scheme: "file", Path: filepath.ToSlash(args.Path)}
	result := api.Transform(string(text), api.TransformOptions{
		Loader:     loader,
		Sourcefile: args.Path,
		Sourcemap:  api.SourceMapInline,
		Target:     api.ESNext,
		Supported:  lowered,
		Define: map[string]string{
			"import.meta.url":      quote(at.String()),
			"import.meta.filename": quote(args.Path),
			"import.meta.dirname":  quote(filepath.Dir(args.Path)),
			"import.meta.main":     fmt.Sprint(args.Path == p.entry),
		},
	})
	if len(result.Errors) > 0 {
		return api.OnLoadResult{Errors: result.Errors}, nil
	}
	contents := string(result.Code)
	return api.OnLoadResult{Contents: &contents, Loader: api.LoaderJS, ResolveDir: filepath.Dir(args.Path)}, nil
}

var loaders = map[string]api.Loader{
	".js": api.LoaderJS, ".mjs": api.LoaderJS, ".cjs": api.LoaderJS, ".jsx": api.LoaderJSX,
	".ts": api.LoaderTS, ".mts": api.LoaderTS, ".cts": api.LoaderTS, ".tsx": api.LoaderTSX,
}
