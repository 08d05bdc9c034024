package gen

import (
	"encoding/json"
	"fmt"

	"pgregory.net/rapid"

	"github.com/ekkojs/ipc/manifest"
)

// hostile is what people might write to end a comment, a string or a fence.
var hostile = []string{
	"*/", "*/ } evil(); {", "/*", "//", "`", "```\n# x", "${x}", "'", `"`, `\`, `\'`, "\n", "\r\n}", "\u2028}", "\u2029}", "\x00", "\u202e",
	"@deprecated", "@param x", "{@link x}", "|", "<script>", "//go:embed x", "\n//go:build ignore\n", "+build ignore", "#", "- x", "",
	"plain words", "With a capital", "ünï ✓ 🙂", "\ufeff", "%s%d", "\x7f", "--->", "</script>", "]]>", "\u0085}",
}

var typeNames = []string{"A", "B", "a", "Promise", "delete", "Client", "Handler", "string_", "_", "X", "ipc", "context", "Dial", "AResult", "func", "undefined"}

var anyNames = []string{
	"get", "Get", "a.b", "a-b", "a_b", "delete", "subscribe", "on", "then", "constructor", "default", "close", "Close", "IPC", "_", "-", "1",
	"toString", "Subscribe", "SubscribeGet", "publish-get", "await", "type", "__proto__", "undefined", "x.1", "user.created", "nil", "Promise",
}

var parameterNames = []string{"a", "A", "a-b", "a_b", "delete", "this", "ctx", "c", "items", "args", "type", "_", "func", "string", "err", "ipc", "result", "theType"}

// drawer draws manifests as JSON values.
type drawer struct {
	t     *rapid.T
	types []string
}

func (d *drawer) one(of []string) string { return rapid.SampledFrom(of).Draw(d.t, "one") }
func (d *drawer) n(most int) int         { return rapid.IntRange(0, most).Draw(d.t, "n") }
func (d *drawer) yes() bool              { return rapid.Bool().Draw(d.t, "yes") }

// words is what people write.
func (d *drawer) words() string {
	if d.n(3) == 0 {
		return rapid.String().Draw(d.t, "words")
	}
	return d.one(hostile) + d.one(hostile)
}

func (d *drawer) expression() string {
	base := d.one(append([]string{"any", "string", "number", "integer", "boolean", "null", "object", "array"}, d.types...))
	return base + d.one([]string{"", "", "[]", "?", "[]?", "[][]", "?[]"})
}

func (d *drawer) typ(depth int) any {
	switch k := d.n(5); {
	case k == 0 && depth < 3:
		members := map[string]any{}
		for range d.n(4) {
			members[d.memberName()] = d.expression()
		}
		return members
	case k <= 2 && depth < 3:
		return d.schema(depth)
	}
	return d.expression()
}

func (d *drawer) memberName() string {
	switch d.n(2) {
	case 0:
		return d.one(hostile)
	case 1:
		return d.one(parameterNames)
	}
	return d.one(anyNames)
}

// schema draws a full JSON Schema.
func (d *drawer) schema(depth int) any {
	s := map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema"}
	d.keywords(s, depth)
	return s
}

func (d *drawer) sub(depth int) any {
	switch {
	case depth > 4:
		return d.yes()
	case d.n(6) == 0:
		return true
	}
	s := map[string]any{}
	d.keywords(s, depth+1)
	return s
}

func (d *drawer) subs(depth int) []any {
	var list []any
	for range d.n(2) + 1 {
		list = append(list, d.sub(depth))
	}
	return list
}

func (d *drawer) keywords(s map[string]any, depth int) {
	jsonTypes := []string{"string", "number", "integer", "boolean", "null", "object", "array"}
	for range d.n(3) + 1 {
		switch d.n(16) {
		case 0, 1, 2:
			s["type"] = d.one(jsonTypes)
		case 3:
			s["type"] = []string{d.one(jsonTypes[:3]), d.one(jsonTypes[3:])}
		case 4, 5:
			members := map[string]any{}
			for range d.n(3) {
				members[d.memberName()] = d.sub(depth)
			}
			s["properties"] = members
		case 6:
			s["required"] = []string{d.memberName()}
		case 7:
			s["additionalProperties"] = d.sub(depth)
		case 8:
			s["items"] = d.sub(depth)
		case 9:
			s["prefixItems"] = d.subs(depth)
			s["minItems"] = d.n(3)
		case 10:
			s[d.one([]string{"anyOf", "oneOf", "allOf"})] = d.subs(depth)
		case 11:
			s["const"] = d.value(2)
		case 12:
			s["enum"] = []any{d.words(), d.value(1), -1.5, nil}
		case 13:
			s["$ref"] = d.one([]string{"#", "#/types/" + d.one(d.types)})
		case 14:
			s["description"] = d.words()
		case 15:
			s[d.one([]string{"not", "if"})] = d.sub(depth)
		case 16:
			s["patternProperties"] = map[string]any{"^x": d.sub(depth)}
		}
	}
}

func (d *drawer) value(depth int) any {
	switch k := d.n(5); {
	case k == 0:
		return d.words()
	case k == 1:
		return rapid.Float64Range(-1e300, 1e300).Draw(d.t, "number")
	case k == 2:
		return d.yes()
	case k == 3 && depth > 0:
		return []any{d.value(depth - 1), nil}
	case k == 4 && depth > 0:
		return map[string]any{d.memberName(): d.value(depth - 1)}
	}
	return nil
}

func (d *drawer) method() any {
	m := map[string]any{"description": d.words()}
	if d.yes() {
		var list []any
		seen := map[string]bool{}
		optional := false
		for range d.n(4) {
			name := d.one(parameterNames)
			if seen[name] {
				continue
			}
			seen[name] = true
			optional = optional || d.n(3) == 0
			list = append(list, map[string]any{"name": name, "type": d.typ(0), "description": d.words(), "required": !optional})
		}
		m["parameters"] = append([]any{}, list...)
	}
	if d.yes() {
		m["returns"] = map[string]any{"type": d.typ(0), "description": d.words(), "nullable": d.yes()}
	}
	if d.yes() {
		m["errors"] = map[string]any{"APP_X": d.words(), "APP_Y_Z": d.words(), "NOT_FOUND": d.words()}
	}
	if d.n(2) == 0 {
		m["deprecated"] = d.words()
	}
	if d.yes() {
		m["stream"] = d.one([]string{"server", "client", "both"})
		m["items"] = map[string]any{"type": d.typ(0)}
	}
	return m
}

// drawManifest draws a manifest; not all that is drawn is a good one.
func drawManifest(t *rapid.T) []byte {
	d := &drawer{t: t, types: typeNames[:1+rapid.IntRange(0, len(typeNames)-1).Draw(t, "types")]}
	types, methods, events, channels := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}
	for _, name := range d.types {
		types[name] = d.typ(0)
	}
	for range d.n(6) {
		methods[d.one(anyNames)] = d.method()
	}
	for range d.n(4) {
		events[d.one(anyNames)] = map[string]any{"description": d.words(), "schema": d.typ(0), "publish": d.one([]string{"anyone", "service"})}
	}
	for range d.n(3) {
		channels[d.one(anyNames)] = map[string]any{"description": d.words(), "events": []string{d.one([]string{"**", "a.*", "user.*"})}, "type": d.one([]string{"topic", "queue"})}
	}
	text, err := json.Marshal(map[string]any{
		"service": map[string]any{"name": "drawn", "description": d.words()},
		"types":   types, "methods": methods, "events": events, "channels": channels,
	})
	if err != nil {
		panic(fmt.Sprint("a drawn manifest is no JSON: ", err))
	}
	return text
}

// goodManifest draws until it has a good one.
func goodManifest() *rapid.Generator[*manifest.Manifest] {
	return rapid.Custom(func(t *rapid.T) *manifest.Manifest {
		m, err := manifest.Parse(drawManifest(t))
		if err != nil {
			t.Skip(err)
		}
		return m
	})
}
