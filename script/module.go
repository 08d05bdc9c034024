package script

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ekkojs/ipc"
)

// serviceModule is the text of the module that stands for a service.
func serviceModule(t *Target) string {
	var b strings.Builder
	manifest := t.Manifest
	if manifest == nil {
		manifest = json.RawMessage("null")
	}
	methods := t.Methods
	if methods == nil {
		methods = []string{}
	}
	fmt.Fprintf(&b, "import { open, bind } from '%s';\n", internalModule)
	fmt.Fprintf(&b, "const service = open({ name: %s, address: %s, methods: %s, manifest: JSON.parse(%s) ?? undefined });\n",
		quote(t.Name), quote(t.Address), marshal(methods), quote(string(manifest)))
	b.WriteString("export default service;\n")
	for i, name := range methods {
		if name == "default" || name == "then" {
			continue // the first is taken; the second would make the module a promise
		}
		fmt.Fprintf(&b, "const m%d = /* @__PURE__ */ bind(service, %s);\nexport { m%d as %s };\n", i, quote(name), i, quote(name))
	}
	return b.String()
}

// failingModule is the text of a module that fails as resolving name did.
func failingModule(name string, err error) string {
	var failure map[string]any
	if json.Unmarshal(coded(err).AppendJSON(nil), &failure) != nil {
		failure = map[string]any{"code": string(ipc.CodeInternal), "message": err.Error()}
	}
	failure["service"] = name
	// The await makes the engine pass the failure on to the importer alone.
	return fmt.Sprintf("import { fail } from '%s';\nawait null;\nexport default fail(%s);\n", internalModule, marshal(failure))
}

// computedImport is the text of a module that the app imports by a name that
// is not written in it.
func (a *app) computedImport(specifier string) (string, error) {
	name, found := strings.CutPrefix(specifier, ipcScheme)
	if !found {
		return "", fmt.Errorf("cannot import %q: the embedded runtime imports files by names that are written out in the app; run it with --runtime node", specifier)
	}
	p := imports{ctx: a.life, resolve: a.Resolve}
	text, err := p.module(name)
	if err != nil {
		return failingModule(name, err), nil
	}
	return text, nil
}

// quote writes s as JavaScript.
func quote(s string) string { return marshal(s) }

func marshal(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("script: a module is not JSON: " + err.Error())
	}
	return string(text)
}
