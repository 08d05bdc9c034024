package gen

import (
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// schema reads one full JSON Schema as shapes.
type schema struct {
	model   *model
	owner   string // what its own definitions are called by
	root    *value
	self    *named            // the type that the schema is all of, nil if it is part of something
	defined map[string]*named // what its own references lead to, by pointer
	foreign int               // within how many schemas that are documents of their own
}

// typesPrefix starts the references to the manifest's types.
const typesPrefix = "#/types/"

// elsewhere are the keywords that lead out of what can be followed here.
var elsewhere = []string{"$dynamicRef", "$recursiveRef"}

// unsayable are the keywords that no type has words for.
var unsayable = []string{
	"not", "if", "dependentSchemas", "dependentRequired", "dependencies", "contains", "propertyNames",
	"unevaluatedItems", "unevaluatedProperties",
}

// asking are the keywords that ask more of a value than its type.
var asking = []string{
	"format", "pattern", "minLength", "maxLength", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum",
	"multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
}

func (r *schema) read(v *value) *shape {
	switch v.kind {
	case 'f':
		return of(neverKind)
	case '{':
	default:
		return of(anyKind)
	}
	if v != r.root && v.get("$id") != nil {
		r.foreign++
		defer func() { r.foreign-- }()
	}
	parts := []*shape{r.typed(v)}
	if c := v.get("const"); c != nil {
		parts = append(parts, literal(c))
	}
	if v.get("enum") != nil {
		parts = append(parts, literals(v.list("enum")))
	}
	if ref := v.get("$ref"); ref != nil {
		parts = append(parts, r.reference(ref.text))
	}
	for _, keyword := range []string{"anyOf", "oneOf"} {
		if v.get(keyword) != nil {
			parts = append(parts, oneOf(r.each(v.list(keyword))...))
		}
	}
	parts = append(parts, r.each(v.list("allOf"))...)
	s := allOf(parts...)
	r.annotate(s, v)
	return s
}

func (r *schema) each(list []*value) (shapes []*shape) {
	for _, v := range list {
		shapes = append(shapes, r.read(v))
	}
	return shapes
}

// annotate adds what the schema says for people, and what no type says.
func (r *schema) annotate(s *shape, v *value) {
	s.description = firstOf(v.string("description"), v.string("title"), s.description)
	if d := v.get("deprecated"); d != nil && d.kind == 't' {
		s.deprecated = true
	}
	for _, keyword := range asking {
		if k := v.get(keyword); k != nil {
			s.asks = append(s.asks, keyword+" "+k.brief())
		}
	}
	for _, keyword := range unsayable {
		if k := v.get(keyword); k == nil {
			continue
		}
		s.asks = append(s.asks, "what the schema says under "+keyword)
		if s.kind == anyKind {
			s.remark = firstOf(s.remark, "a type cannot say what the schema does under "+keyword)
		}
	}
	for _, keyword := range elsewhere {
		if v.get(keyword) != nil {
			s.remark = firstOf(s.remark, "a type cannot say what the schema does under "+keyword)
		}
	}
}

// typed is what "type" says, and the keywords that belong to a type.
func (r *schema) typed(v *value) *shape {
	var parts []*shape
	for _, t := range r.types(v) {
		parts = append(parts, r.ofType(t, v))
	}
	if parts == nil {
		return of(anyKind)
	}
	return oneOf(parts...)
}

// types are the types that a schema allows, none for all.
func (r *schema) types(v *value) (types []string) {
	has := func(keyword string) bool { return v.get(keyword) != nil }
	switch t := v.get("type"); {
	case t != nil && t.kind == '"':
		return []string{t.text}
	case t != nil:
		for _, item := range t.items {
			types = append(types, item.text)
		}
	case slices.ContainsFunc([]string{"properties", "required", "additionalProperties", "patternProperties"}, has):
		return []string{"object"}
	case slices.ContainsFunc([]string{"items", "prefixItems", "additionalItems"}, has):
		return []string{"array"}
	}
	return types
}

func (r *schema) ofType(name string, v *value) *shape {
	switch name {
	case "string":
		return of(stringKind)
	case "number":
		return of(numberKind)
	case "integer":
		return of(integerKind)
	case "boolean":
		return of(booleanKind)
	case "null":
		return of(nullKind)
	case "object":
		return r.object(v)
	case "array":
		return r.array(v)
	}
	return of(anyKind)
}

func (r *schema) object(v *value) *shape {
	s := of(objectKind)
	properties := v.object("properties")
	required := map[string]bool{}
	for _, name := range v.list("required") {
		required[name.text] = true
	}
	for i, name := range properties.names {
		s.members = append(s.members, member{name, r.read(properties.items[i]), !required[name]})
		delete(required, name)
	}
	for _, name := range slices.Sorted(maps.Keys(required)) { // there must be one, and nothing is said of it
		s.members = append(s.members, member{name: name, shape: of(anyKind)})
	}
	var rest []*shape
	for _, p := range v.object("patternProperties").items {
		rest = append(rest, r.read(p))
	}
	if more := v.get("additionalProperties"); more != nil && more.kind != 'f' {
		rest = append(rest, r.read(more))
	}
	if rest != nil {
		s.rest = oneOf(rest...)
	} else if more := v.get("additionalProperties"); more != nil && len(properties.names) == 0 {
		s.rest = of(neverKind)
	}
	return s
}

func (r *schema) array(v *value) *shape {
	first, rest := v.get("prefixItems"), v.get("items")
	if rest != nil && rest.kind == '[' { // before draft 2020-12
		first, rest = rest, v.get("additionalItems")
	}
	elem := of(anyKind)
	if rest != nil {
		elem = r.read(rest)
	}
	if first == nil || len(first.items) == 0 {
		return arrayOf(elem)
	}
	t := &shape{kind: tupleKind, parts: r.each(first.items), elem: elem}
	if elem.kind == neverKind {
		t.elem = nil
	}
	if n := v.get("minItems"); n != nil {
		f, _ := strconv.ParseFloat(n.text, 64)
		t.least = int(min(max(f, 0), float64(len(t.parts))))
	}
	return t
}

// reference follows a $ref.
func (r *schema) reference(target string) *shape {
	if name, ok := strings.CutPrefix(target, typesPrefix); ok && r.model.named[name] != nil {
		return refTo(r.model.named[name])
	}
	pointer, local := strings.CutPrefix(target, "#")
	if decoded, err := url.PathUnescape(pointer); err == nil {
		pointer = decoded
	}
	if !local || r.foreign > 0 || pointer != "" && pointer[0] != '/' {
		return unknown("the reference " + quoteJSON(target) + " is not followed")
	}
	at := r.root.at(pointer)
	if at == nil {
		return unknown("the reference " + quoteJSON(target) + " leads nowhere")
	}
	if pointer == "" && r.self != nil {
		return refTo(r.self)
	}
	n := r.defined[pointer]
	if n == nil {
		part := firstOf(pointer[strings.LastIndexByte(pointer, '/')+1:], "all")
		n = r.model.define(r.owner + "$" + part)
		r.defined[pointer] = n
		n.shape = *r.read(at)
	}
	return refTo(n)
}

// literals is the union of values.
func literals(values []*value) *shape {
	var parts []*shape
	for _, v := range values {
		parts = append(parts, literal(v))
	}
	return oneOf(parts...)
}

// literal is the shape of one value.
func literal(v *value) *shape {
	switch v.kind {
	case '"':
		return &shape{kind: literalKind, literal: quoteJSON(v.text)}
	case '0':
		f, err := strconv.ParseFloat(v.text, 64)
		if err != nil || math.IsInf(f, 0) {
			return of(numberKind)
		}
		return &shape{kind: literalKind, literal: strconv.FormatFloat(f, 'g', -1, 64)}
	case 't':
		return &shape{kind: literalKind, literal: "true"}
	case 'f':
		return &shape{kind: literalKind, literal: "false"}
	case '{':
		s := of(objectKind)
		for i, name := range v.names {
			s.members = append(s.members, member{name: name, shape: literal(v.items[i])})
		}
		return s
	case '[':
		s := &shape{kind: tupleKind, least: len(v.items)}
		for _, item := range v.items {
			s.parts = append(s.parts, literal(item))
		}
		return s
	}
	return of(nullKind)
}
