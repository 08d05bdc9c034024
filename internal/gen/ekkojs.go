package gen

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/ekkojs/ipc/js"
)

const ekkoHead = `// Written by "ekko-ipc gen ekkojs", and written anew by it: what is changed here
// is lost.

`

// EkkoModule is the module of a service for the EkkoJS runtime, where the
// program reaches it at an address. It lies beside the client, which it imports
// without an extension, as that runtime wants it.
func EkkoModule(s Service, address string) []byte {
	var b strings.Builder
	b.WriteString(ekkoHead + "import { bind as $bind, service as $open } from './client';\n\n")
	// As a literal, a member called __proto__ would be none; and a method may be
	// called JSON.
	promised := tsQuote(string(s.Manifest.Raw()))
	fmt.Fprintf(&b, "const $service = $open(%s, %s, globalThis.JSON.parse(%s));\nexport default $service;\n", tsQuote(s.Name), tsQuote(address), promised)
	for _, name := range s.Manifest.MethodNames() {
		switch {
		case name == "default" || name == "then" || !isIdentifier(name): // whoever awaits the module would call then
		case tsReserved[name]:
			fmt.Fprintf(&b, "\nconst $%s = $bind($service, %s);\nexport { $%s as %s };\n", name, tsQuote(name), name, name)
		default:
			fmt.Fprintf(&b, "\nexport const %s = $bind($service, %s);\n", name, tsQuote(name))
		}
	}
	return []byte(b.String())
}

// EkkoClient is what the modules of EkkoModule have in common: the client of the
// npm package in one file, since that runtime takes neither packages of npm nor
// imports with an extension.
func EkkoClient() ([]byte, error) {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"ekkojs/client.js"},
		Bundle:      true,
		Format:      api.FormatESModule,
		Target:      api.ES2022,
		Charset:     api.CharsetUTF8,
		External:    []string{"ekko:*"},
		LogLevel:    api.LogLevelSilent,
		Plugins:     []api.Plugin{{Name: "sources", Setup: readSources}},
	})
	var err error
	for _, m := range result.Errors {
		err = errors.Join(err, errors.New(m.Text))
	}
	if err != nil {
		return nil, fmt.Errorf("gen: bundling the client: %w", err)
	}
	return append([]byte(ekkoHead), result.OutputFiles[0].Contents...), nil
}

// readSources has the bundler read the package that is within this program.
func readSources(build api.PluginBuild) {
	build.OnResolve(api.OnResolveOptions{Filter: `\.js$`}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		return api.OnResolveResult{Path: path.Join(path.Dir(a.Importer), a.Path), Namespace: "sources"}, nil
	})
	build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: "sources"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		text, err := fs.ReadFile(js.Sources, a.Path)
		contents := string(text)
		return api.OnLoadResult{Contents: &contents}, err
	})
}
