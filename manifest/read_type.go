package manifest

import (
	"maps"
	"slices"
	"strings"
)

// foreign are the names that other languages have for our types.
var foreign = map[string]string{
	"bool": "boolean", "int": "integer", "int32": "integer", "int64": "integer", "long": "integer",
	"short": "integer", "byte": "integer", "uint": "integer", "float": "number", "float32": "number",
	"float64": "number", "double": "number", "decimal": "number", "num": "number", "str": "string",
	"text": "string", "char": "string", "date": "string", "datetime": "string", "uuid": "string",
	"guid": "string", "list": "array", "slice": "array", "dict": "object", "map": "object",
	"record": "object", "struct": "object", "hash": "object", "void": "null", "none": "null",
	"nil": "null", "undefined": "null", "unknown": "any", "mixed": "any", "dynamic": "any",
}

// types reads the named shapes. All names are known before the first shape is
// read, so the order of declaration does not matter.
func (r *reader) types(n *node) {
	r.m.Types = map[string]*Type{}
	if n == nil || !r.expect(n, '{', `"types"`) {
		return
	}
	for _, at := range n.members {
		switch _, builtin := builtins[at.name]; {
		case builtin:
			r.at(at.at, Error, "name", at.value.pointer(), "the type %s is built in and cannot be declared", quote(at.name))
		case !isTypeName(at.name):
			r.at(at.at, Error, "name", at.value.pointer(), "the type name %s must be letters, digits and _, no digit first", quote(at.name))
		default:
			r.m.Types[at.name] = &Type{Kind: KindAny}
		}
	}
	for _, at := range n.members {
		t := r.typeOf(at.value, 0)
		if declared := r.m.Types[at.name]; declared != nil {
			*declared = *t
		}
	}
	r.cycles(n)
}

// typeOf reads a type wherever one may stand: an expression such as "User[]?",
// an object in the short spelling, or a full JSON Schema.
func (r *reader) typeOf(n *node, depth int) *Type {
	switch {
	case n.kind == '"':
		return r.expression(n)
	case n.kind == '{' && r.isSchema(n):
		return r.fullSchema(n)
	case n.kind == '{':
		return r.short(n, depth)
	}
	r.errorf(n, "type", `a type must be a string such as "number" or "User[]", or an object, not %s`, called(n.kind))
	return &Type{Kind: KindAny}
}

// short reads an object in the short spelling: {"id": "number", "tags": "string[]?"}.
func (r *reader) short(n *node, depth int) *Type {
	t := &Type{Kind: KindObject}
	if len(n.members) > maxMembers {
		r.errorf(n, "too-large", "%d members, and %d are allowed", len(n.members), maxMembers)
		return t
	}
	for _, m := range n.members {
		if name, ok := strings.CutSuffix(m.name, "?"); ok && name != "" {
			r.at(m.at, Warning, "name", m.value.pointer(), "the ? belongs to the type, not to the name: write %s with a type that ends in ?", quote(name))
		}
		ft := r.typeOf(m.value, depth+1)
		f := Field{Name: m.name, Type: ft, Optional: ft.Nullable}
		ft.Nullable = false // Optional says so already
		t.Fields = append(t.Fields, f)
	}
	t.seal()
	return t
}

// expression reads the string form of a type.
func (r *reader) expression(n *node) *Type {
	base, suffixes, problem := splitExpression(n.text)
	if problem != "" {
		r.errorf(n, "type-name", "the type %s %s", quote(n.text), problem)
		return &Type{Kind: KindAny}
	}
	t := &Type{Kind: builtins[base]}
	if t.Kind == 0 {
		target := r.m.Types[base]
		if target == nil {
			r.errorf(n, "unknown-type", "unknown type %s%s", quote(base), r.meantType(base))
			return &Type{Kind: KindAny}
		}
		t.Kind, t.Name, t.Target = KindNamed, base, target
	}
	for _, s := range suffixes {
		if s == '?' {
			t.Nullable = true
		} else {
			t = &Type{Kind: KindArray, Elem: t}
		}
	}
	return t
}

// splitExpression takes a type's suffixes off: "User[]?" is User and "[?".
func splitExpression(s string) (base, suffixes, problem string) {
	const most = 15
	end := strings.IndexAny(s, "[?")
	if end < 0 {
		end = len(s)
	}
	base = s[:end]
	for rest := s[end:]; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "[]"):
			suffixes, rest = suffixes+"[", rest[2:]
		case rest[0] == '?' && !strings.HasSuffix(suffixes, "?"):
			suffixes, rest = suffixes+"?", rest[1:]
		default:
			return "", "", "must be a name followed by [] for arrays and ? for what may be null"
		}
	}
	switch {
	case strings.Count(suffixes, "[") > most:
		return "", "", "is nested deeper than anybody needs"
	case strings.ContainsAny(base, "|&<>(){},"):
		return "", "", "is more than a name with [] and ?: write such a type as JSON Schema"
	case !isTypeName(base):
		return "", "", "must be a name followed by [] for arrays and ? for what may be null"
	}
	return base, suffixes, ""
}

// meantType suggests a type for an unknown name.
func (r *reader) meantType(name string) string {
	// Searching all types for each of very many errors would take long.
	const mostHints = 100
	if r.hinted++; r.hinted > mostHints {
		return ""
	}
	if ours := foreign[strings.ToLower(name)]; ours != "" {
		return ": did you mean " + quote(ours) + "?"
	}
	if r.typeNames == nil {
		r.typeNames = slices.Concat(slices.Sorted(maps.Keys(builtins)), slices.Sorted(maps.Keys(r.m.Types)))
	}
	return meant(name, r.typeNames)
}

// isExpression reports whether a string names a known type.
func (r *reader) isExpression(s string) bool {
	base, _, problem := splitExpression(s)
	return problem == "" && (builtins[base] != 0 || r.m.Types[base] != nil)
}

// shape reads the fields by which a parameter or a result says what it is:
// type, and schema or elementType to say more, and nullable.
func (r *reader) shape(o *object) *Type {
	typ, more, elem := o.get("type"), o.get("schema"), o.get("elementType")
	var t *Type
	if typ != nil {
		t = r.typeOf(typ, 0)
	}
	if elem != nil && more != nil {
		r.errorf(elem, "type", `give either "schema" or "elementType"`)
	}
	switch {
	case more != nil:
		t = r.refine(t, r.typeOf(more, 0), more)
	case elem != nil:
		e := r.typeOf(elem, 0)
		if t == nil {
			t = &Type{Kind: KindArray}
		}
		if t.Kind != KindArray || t.Elem != nil {
			r.errorf(elem, "type", `"elementType" belongs to the type "array"`)
		} else {
			t.Elem = e
		}
	case t == nil:
		r.warnf(o.n, "no-type", "no type is given, so any value will be taken")
		t = &Type{Kind: KindAny}
	}
	if o.flag("nullable") {
		t.Nullable = true
	}
	return t
}

// refine joins what "type" says with what "schema" adds; n is the latter.
func (r *reader) refine(t, more *Type, n *node) *Type {
	if t == nil {
		return more
	}
	more.Nullable = more.Nullable || t.Nullable
	switch {
	case t.Kind == KindAny:
		return more
	case t.Kind == KindObject && t.Fields == nil && more.takes(KindObject) && more.Kind != KindSchema:
		return more
	case t.Kind == KindArray && t.Elem == nil && more.takes(KindArray) && more.Kind != KindSchema:
		return more
	case t.Kind == KindArray && t.Elem == nil && more.Kind != KindSchema:
		// {"type": "array", "schema": {"id": "number"}}: the shape is that of
		// each element, there being nothing else it could be.
		more.Nullable = more.Nullable && !t.Nullable
		t.Elem = more
		return t
	case more.Kind == KindSchema && (t.Kind == KindObject || t.Kind == KindArray || t.Kind == KindString ||
		t.Kind == KindNumber || t.Kind == KindInteger || t.Kind == KindBoolean):
		t.Schema, t.schema = more.Schema, more.schema
		return t
	}
	r.errorf(n, "type", `the schema contradicts the type %s: a short schema belongs to "object" or "array"`, quote(t.String()))
	return t
}
