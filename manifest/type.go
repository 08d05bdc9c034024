package manifest

import (
	"strconv"
	"strings"
)

// Kind tells the types apart.
type Kind uint8

// The kinds of types.
const (
	KindAny Kind = iota + 1
	KindString
	KindNumber
	KindInteger // within ±(2^53-1), which every JavaScript peer holds exactly
	KindBoolean
	KindNull
	KindObject
	KindArray
	KindNamed  // one of the manifest's types
	KindSchema // whatever a full JSON Schema allows
)

var kindNames = [...]string{
	KindAny:     "any",
	KindString:  "string",
	KindNumber:  "number",
	KindInteger: "integer",
	KindBoolean: "boolean",
	KindNull:    "null",
	KindObject:  "object",
	KindArray:   "array",
}

// builtins are the types that need no declaration.
var builtins = func() map[string]Kind {
	kinds := map[string]Kind{}
	for k, name := range kindNames {
		if name != "" {
			kinds[name] = Kind(k)
		}
	}
	return kinds
}()

// String is the kind's name as manifests spell it.
func (k Kind) String() string {
	switch {
	case k == KindNamed:
		return "named"
	case k == KindSchema:
		return "schema"
	case int(k) < len(kindNames) && k != 0:
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Type is the shape of a value. It is read-only, like the manifest it is from.
type Type struct {
	Kind Kind
	// Nullable values may be null instead: the "?" after a type.
	Nullable bool
	// Elem is the type of the elements of a KindArray, nil if they are free.
	Elem *Type
	// Fields are the declared members of a KindObject in the order of the
	// manifest. Others are allowed beside them.
	Fields []Field
	// Name and Target say which of the manifest's types a KindNamed is.
	Name   string
	Target *Type
	// Schema is the JSON Schema that the value must meet besides, nil if there
	// is none. For a KindSchema it is all that is asked.
	Schema []byte

	schema   *schema
	index    map[string]int // position in Fields; only where they are many
	required []uint64       // bit set of the positions in Fields that must be there
}

// Field is one declared member of an object.
type Field struct {
	Name string
	Type *Type
	// Optional members may be absent or null: the "?" after their type.
	Optional bool
}

// String is the type on one line, much as TypeScript would spell it:
// {id: number, tags?: string[]}.
func (t *Type) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (t *Type) write(b *strings.Builder) {
	switch {
	case t == nil:
		b.WriteString("any")
		return
	case t.Kind == KindNamed:
		b.WriteString(t.Name)
	case t.Kind == KindSchema:
		b.WriteString(t.schema.String())
	case t.Kind == KindArray && t.Elem != nil:
		t.Elem.write(b)
		b.WriteString("[]")
	case t.Kind == KindObject && len(t.Fields) > 0:
		b.WriteByte('{')
		for i, f := range t.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(fieldName(f.Name))
			if f.Optional {
				b.WriteByte('?')
			}
			b.WriteString(": ")
			f.Type.write(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString(t.Kind.String())
	}
	if t.Nullable {
		b.WriteByte('?')
	}
}

// fieldName quotes what could not stand as it is.
func fieldName(name string) string {
	if isIdentifier(name) {
		return name
	}
	return strconv.Quote(name)
}

// brief is the type as a message names it: no longer than a word or two.
func (t *Type) brief() string {
	var s string
	switch {
	case t.Kind == KindNamed:
		s = t.Name
	case t.Kind == KindSchema:
		s = t.schema.String()
	case t.Kind == KindArray && t.Elem != nil && t.Elem.Kind != KindSchema:
		s = t.Elem.Kind.String()
		if t.Elem.Kind == KindNamed {
			s = t.Elem.Name
		}
		s += "[]"
	default:
		s = t.Kind.String()
	}
	if t.Nullable {
		s += " or null"
	}
	return s
}

// seal prepares the lookup tables of a finished object type.
func (t *Type) seal() {
	t.required = make([]uint64, (len(t.Fields)+63)/64)
	for i, f := range t.Fields {
		if !f.Optional {
			t.required[i/64] |= 1 << (i % 64)
		}
	}
	// Up to here comparing one by one is as fast as hashing.
	const few = 12
	if len(t.Fields) > few {
		t.index = make(map[string]int, len(t.Fields))
		for i, f := range t.Fields {
			t.index[f.Name] = i
		}
	}
}
