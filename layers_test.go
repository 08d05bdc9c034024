package ipc_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ekkojs/ipc"

// layer says what a package may import of ours. Imports go down only, and
// siblings on a floor do not know each other; what must run upward goes up as
// a func given at construction.
type layer struct {
	imports []string
	why     string
}

var layers = map[string]layer{
	"internal/plain": {nil, "what in a JSON text needs no closer look is the same to everybody"},

	"internal/spare": {nil, "memory between two uses is nobody's"},

	"internal/devcert": {nil, "certificates to try things with are files, whoever reads them"},

	"internal/place": {nil, "whether a directory is safe is asked of the file system"},

	"wire":      {[]string{"internal/plain"}, "what is said is pure: it knows neither sockets nor files"},
	"manifest":  {[]string{"internal/plain"}, "what is promised can be checked without a service"},
	"transport": {[]string{"internal/place", "internal/spare"}, "how a frame moves knows nothing of messages"},
	"observe":   {nil, "what happened is told to anybody, so it depends on nobody"},
	"auth":      {[]string{"transport", "wire"}, "who speaks is asked of the connection"},

	"store":           {[]string{"wire"}, "the contract of what keeps events, with a memory that is light"},
	"store/disk":      {[]string{"internal/place", "store", "wire"}, "the durable log knows records, not services"},
	"store/storetest": {[]string{"store", "wire"}, "what every store is held to"},
	"internal/filter": {[]string{"internal/plain", "wire"}, "a filter reads JSON, and knows nobody"},
	"internal/group":  {[]string{"store", "wire"}, "who has what of a log: records and members, not connections"},

	"internal/gen": {[]string{"js", "manifest"}, "what is written of a manifest needs nothing but the manifest, and the client it is written for"},
	"js":           {nil, "the npm package as it lies there"},

	"internal/session":        {[]string{"auth", "internal/spare", "observe", "transport", "wire"}, "one peer: envelopes, not methods"},
	"internal/hub":            {[]string{"internal/filter", "internal/group", "observe", "store", "wire"}, "who wants this: names, not connections"},
	"internal/registry":       {[]string{"manifest", "transport", "wire"}, "where it lives: manifests and the runtime directory"},
	"internal/registry/watch": {[]string{"internal/registry"}, "when to look again, for those few who compile what that takes"},
	"internal/endpoint":       {[]string{"internal/session", "observe", "transport"}, "a live session for a name"},

	"": {[]string{"auth", "internal/endpoint", "internal/filter", "internal/hub", "internal/registry", "internal/session", "manifest", "observe", "store", "transport", "wire"}, "the face"},

	"internal/torture":        {[]string{"", "internal/torture/stage", "wire"}, "who proves what the face says uses the face only, and reads what a code may claim from its table"},
	"internal/torture/events": {[]string{"", "internal/torture/stage", "store", "store/disk", "wire"}, "the same for events, with a store under the service"},
	"internal/torture/stage":  {nil, "processes are started and ended in the same way whatever they prove"},
	"internal/torture/run":    {[]string{"internal/torture", "internal/torture/events"}, "a command of a few flags"},

	"script": {[]string{"", "manifest", "observe", "wire"}, "a program that imports services is a user of the face"},
}

// TestLayers holds the imports of the packages to the floors they stand on.
func TestLayers(t *testing.T) {
	for name, l := range layers {
		path := strings.TrimSuffix(module+"/"+name, "/")
		for _, imported := range list(t, "{{join .Imports \"\\n\"}}", path) {
			ours, found := strings.CutPrefix(imported, module)
			if !found {
				continue
			}
			if ours = strings.TrimPrefix(ours, "/"); !slices.Contains(l.imports, ours) {
				t.Errorf("package %q imports %q, but may import of ours only %q: %s", name, ours, l.imports, l.why)
			}
		}
	}
}

// light are the modules that a program compiles that imports the root
// package: x/sys for the kernel's word on who is calling, and what reading
// and checking JSON strictly takes (jsonschema, for manifests that use full
// JSON Schema, brings x/text for its messages).
var light = []string{
	module,
	"github.com/go-json-experiment/json",
	"github.com/santhosh-tekuri/jsonschema/v6",
	"golang.org/x/sys",
	"golang.org/x/text",
}

// TestTheRootPackageStaysLight keeps engines, stores, web servers and brokers
// out of every program that calls a service.
func TestTheRootPackageStaysLight(t *testing.T) {
	for _, m := range list(t, "{{with .Module}}{{.Path}}{{end}}", "-deps", module) {
		if m != "" && !slices.Contains(light, m) {
			t.Errorf("the root package compiles module %s", m)
		}
	}
	for _, p := range list(t, "{{.ImportPath}}", "-deps", module) {
		if p == "net/http" || p == "C" {
			t.Errorf("the root package compiles %s", p)
		}
	}
}

func list(t *testing.T, format string, args ...string) []string {
	t.Helper()
	notOnWindows(t, "a go command, where Windows is Wine")
	out, err := exec.Command("go", append([]string{"list", "-f", format}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	return slices.Compact(lines)
}
