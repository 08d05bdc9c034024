package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// appendNode writes a schema of the manifest as the compiler is to see it: the
// references to the manifest's types lead to where the compiler has them.
func appendNode(dst []byte, n *node) []byte {
	switch n.kind {
	case '{':
		dst = append(dst, '{')
		for i, m := range n.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendText(dst, m.name), ':')
			if name, ok := strings.CutPrefix(m.value.text, typesPrefix); ok && m.name == "$ref" {
				dst = appendText(dst, typesURL+typesPrefix+name)
				continue
			}
			dst = appendNode(dst, m.value)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for i, e := range n.elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendNode(dst, e)
		}
		return append(dst, ']')
	case '"':
		return appendText(dst, n.text)
	case '0':
		return append(dst, n.text...)
	case 't':
		return append(dst, "true"...)
	case 'f':
		return append(dst, "false"...)
	}
	return append(dst, "null"...)
}

func appendText(dst []byte, s string) []byte {
	// Only invalid UTF-8 makes quoting fail, and what is quoted here came
	// through the strict decoder.
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// typesDocument is the manifest's types as one JSON Schema document, for full
// schemas to refer to.
func (r *reader) typesDocument() []byte {
	dst := []byte(`{"$schema":"https://json-schema.org/draft/2020-12/schema","types":{`)
	for i, name := range slices.Sorted(maps.Keys(r.m.Types)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, name), ':')
		dst = appendType(dst, r.m.Types[name])
	}
	return append(dst, "}}"...)
}

// appendType writes a type as JSON Schema.
func appendType(dst []byte, t *Type) []byte {
	if t.Nullable {
		bare := *t
		bare.Nullable = false
		dst = append(dst, `{"anyOf":[{"type":"null"},`...)
		dst = appendType(dst, &bare)
		return append(dst, "]}"...)
	}
	switch t.Kind {
	case KindAny:
		return append(dst, "{}"...)
	case KindNamed:
		return append(appendText(append(dst, `{"$ref":`...), typesPrefix+t.Name), '}')
	case KindSchema:
		return append(appendText(append(dst, `{"$ref":`...), t.schema.url), '}')
	case KindInteger:
		return append(dst, `{"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991}`...)
	case KindArray:
		dst = append(dst, `{"type":"array"`...)
		if t.Elem != nil {
			dst = appendType(append(dst, `,"items":`...), t.Elem)
		}
		return append(dst, '}')
	case KindObject:
		return appendObjectType(dst, t)
	}
	return append(append(append(dst, `{"type":"`...), t.Kind.String()...), `"}`...)
}

func appendObjectType(dst []byte, t *Type) []byte {
	dst = append(dst, `{"type":"object","properties":{`...)
	var required []byte
	for i, f := range t.Fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		ft := *f.Type
		ft.Nullable = f.Optional
		dst = appendType(append(appendText(dst, f.Name), ':'), &ft)
		if !f.Optional {
			if required != nil {
				required = append(required, ',')
			}
			required = appendText(required, f.Name)
		}
	}
	dst = append(append(dst, `},"required":[`...), required...)
	return append(dst, "]}"...)
}
