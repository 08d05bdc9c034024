package manifest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// The manifest may not know the wire, so it has a grammar of names and patterns
// of its own. They must be the same: what a manifest declares must be sayable.

// broken reports whether the linter finds an error.
func broken(t *rapid.T, m map[string]any) bool {
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range manifest.Lint(text) {
		if p.Severity == manifest.Error {
			return true
		}
	}
	return false
}

type object = map[string]any

var service = object{"name": "shop"}

func names() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[a-zA-Z0-9_.*-]{0,12}`),
		rapid.StringMatching(`(ipc|ekko|events|broadcast|user)(\.[a-z*]{1,3}){0,18}`),
		rapid.StringMatching(`[ab*]{1,2}(\.(\*\*|\*|a|b)){0,6}`),
		rapid.Map(rapid.IntRange(250, 258), func(n int) string { return strings.Repeat("n", n) }),
		rapid.String(),
	)
}

func TestNamesAreTheWires(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := names().Draw(t, "name")
		sayable := wire.CheckName(name) == nil
		free := sayable && !wire.Reserved(name)
		if got := !broken(t, object{"service": object{"name": name}}); got != free {
			t.Fatalf("service %q: the wire says %v, the manifest %v", name, free, got)
		}
		if got := !broken(t, object{"service": service, "events": object{name: object{}}}); got != free {
			t.Fatalf("event %q: the wire says %v, the manifest %v", name, free, got)
		}
		// The channel of a method has the service's name in front.
		callable := sayable && wire.CheckName("shop."+name) == nil
		if got := !broken(t, object{"service": service, "methods": object{name: object{}}}); got != callable {
			t.Fatalf("method %q: the wire says %v, the manifest %v", name, callable, got)
		}
	})
}

func TestPatternsAreTheWires(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, event := names().Draw(t, "pattern"), rapid.StringMatching(`[ab](\.[ab]){0,4}`).Draw(t, "event")
		pattern, err := wire.ParsePattern(text)
		m := object{
			"service":  service,
			"events":   object{event: object{}},
			"channels": object{"c": object{"events": []string{text}}},
		}
		// A literal must name a declared event, which is no matter of grammar.
		good := err == nil && (!pattern.IsLiteral() || text == event)
		if got := !broken(t, m); got != good {
			t.Fatalf("pattern %q: the wire says %v, the manifest %v", text, err, got)
		}
		if err != nil {
			return
		}
		c := manifest.Channel{Events: []string{text}}
		if got, want := c.Bundles(event), pattern.Match(event); got != want {
			t.Fatalf("pattern %q and event %q: the wire says %v, the manifest %v", text, event, want, got)
		}
	})
}
