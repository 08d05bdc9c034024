package gen

import (
	"fmt"
	"strings"
	"unicode"
)

// tsReserved cannot name a parameter, a constant or a type in a module.
var tsReserved = words(`
	arguments await break case catch class const continue debugger default delete do else enum eval export extends
	false finally for function globalThis if implements import in instanceof interface let new null package private
	protected public return static super switch this throw true try typeof undefined var void while with yield
	NaN Infinity`)

// tsTypes are the names of types that a module uses, or cannot declare.
var tsTypes = words(`
	any unknown never void undefined null object string number boolean symbol bigint Promise AsyncIterable Iterable
	Record EkkoIpc EkkoIpcServices EkkoIpcContracts asserts infer is keyof readonly unique require type`)

func words(list string) map[string]bool {
	out := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		out[word] = true
	}
	return out
}

// isIdentifier reports whether a name needs no quotes.
func isIdentifier(name string) bool {
	for i, r := range name {
		if r != '$' && !isLetter(r) && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// tsQuote is a string of TypeScript.
func tsQuote(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r > 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(&b, "\\u{%x}", r)
		case r != ' ' && !unicode.IsPrint(r):
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// tsMember is the name of a member.
func tsMember(name string) string {
	if isIdentifier(name) {
		return name
	}
	return tsQuote(name)
}

// tsTypeName is how a type is called: a name that the language has for itself
// gets a $, which no name of a manifest has.
func tsTypeName(name string) string {
	if tsReserved[name] || tsTypes[name] {
		return name + "$"
	}
	return name
}

// tsParameterNames are how parameters are called, each once.
func tsParameterNames(list []parameter) []string {
	taken := map[string]bool{}
	var names []string
	for _, p := range list {
		name := strings.ReplaceAll(p.Name, "-", "_")
		if tsReserved[name] {
			name += "_"
		}
		names = append(names, unique(name, taken))
	}
	return names
}
