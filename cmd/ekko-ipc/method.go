package main

import (
	"fmt"
	"strings"

	"github.com/ekkojs/ipc/manifest"
)

// result is what a method answers, on one line.
func result(m *manifest.Method) string {
	text := m.Returns.Type.String()
	if m.Returns.Nullable && !strings.HasSuffix(text, "?") {
		text += "?"
	}
	if sends(m) {
		return "stream of " + text
	}
	return text
}

// remarks is what a caller should know of a method besides its signature.
func remarks(m *manifest.Method) []string {
	var said []string
	if m.Deprecated != "" {
		said = append(said, "deprecated: "+m.Deprecated)
	}
	if m.Idempotent {
		said = append(said, "may be repeated after a failure (idempotent)")
	}
	if m.Cache != nil {
		said = append(said, "answers may be kept for "+m.Cache.TTL.String())
	}
	if reads(m) {
		said = append(said, "reads "+itemsOf(m)+" from its caller")
	}
	if sends(m) {
		said = append(said, "answers with a stream, item by item")
	}
	if m.Timeout > 0 {
		said = append(said, "takes up to "+m.Timeout.String())
	}
	switch {
	case m.Concurrency == 1:
		said = append(said, "one call runs at a time, others wait their turn")
	case m.Concurrency > 1:
		said = append(said, fmt.Sprintf("up to %d calls run at once, others wait their turn", m.Concurrency))
	}
	if len(m.Permissions) > 0 {
		said = append(said, "for callers with the role "+strings.Join(m.Permissions, " or "))
	}
	for _, e := range m.Errors {
		said = append(said, strings.TrimSuffix("answers "+e.Code+": "+e.Description, ": "))
	}
	return said
}

// exampleCall is a call of the method that its reader may copy, with a value
// of the right kind for each required parameter.
func exampleCall(service string, m *manifest.Method) string {
	words := []string{"ekko-ipc call", target{service: service, method: m.Name}.String()}
	for _, p := range m.Parameters {
		if !p.Required {
			break
		}
		words = append(words, quote(exampleOf(p.Type, p.Name, 0)))
	}
	call := strings.Join(words, " ")
	if !reads(m) {
		return call
	}
	item := "null"
	if m.Items != nil {
		item = exampleOf(m.Items, "item", 0)
	}
	return "echo '" + strings.ReplaceAll(item, "'", `'\''`) + "' | " + call
}

// exampleOf is a JSON text of the type; a string is the name of what it is
// for. depth ends types that hold themselves.
func exampleOf(t *manifest.Type, name string, depth int) string {
	if t == nil || depth > 4 {
		return "null"
	}
	switch t.Kind {
	case manifest.KindNamed:
		return exampleOf(t.Target, name, depth+1)
	case manifest.KindNumber, manifest.KindInteger:
		return "1"
	case manifest.KindBoolean:
		return "true"
	case manifest.KindString:
		return `"` + name + `"`
	case manifest.KindArray:
		if t.Elem == nil {
			return "[]"
		}
		return "[" + exampleOf(t.Elem, name, depth+1) + "]"
	case manifest.KindObject:
		var members []string
		for _, f := range t.Fields {
			if !f.Optional {
				members = append(members, `"`+f.Name+`":`+exampleOf(f.Type, f.Name, depth+1))
			}
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	return "null"
}

// quote writes a JSON text as one word of a shell: a plain string without its
// quotes, which call puts back.
func quote(text string) string {
	if inner := strings.Trim(text, `"`); len(inner) == len(text)-2 && isIdentifier(inner) {
		return inner
	}
	if strings.ContainsAny(text, `"'{}[]*?$ `) {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return text
}
