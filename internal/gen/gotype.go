package gen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// goTypes declares types: those of the manifest, and one for each object that
// has no name of its own.
type goTypes struct {
	strings.Builder
	taken map[string]bool   // the names of the package
	names map[*named]string // how the manifest's types are called
	own   map[*shape]string // how objects are called that have no name: one may be met again within itself
	queue []goObject
}

// goObject is a struct to be declared.
type goObject struct {
	name  string
	shape *shape
	root  *named // the type that it is a part of
}

func newGoTypes(types []*named, taken map[string]bool) *goTypes {
	w := &goTypes{taken: taken, names: map[*named]string{}, own: map[*shape]string{}}
	for _, n := range types {
		w.names[n] = unique(goName(n.name), taken)
	}
	for _, n := range types {
		w.named(n)
		w.flush()
	}
	return w
}

func (w *goTypes) printf(format string, args ...any) { fmt.Fprintf(w, format, args...) }

// flush declares the structs that have been met.
func (w *goTypes) flush() {
	for len(w.queue) > 0 {
		o := w.queue[0]
		w.queue = w.queue[1:]
		w.object(o)
	}
}

func (w *goTypes) named(n *named) {
	name := w.names[n]
	if isStruct(&n.shape) {
		w.object(goObject{name, &n.shape, n})
		return
	}
	goSay(w, "", name+" is the manifest's "+n.name+".", n.notes)
	if values := stringLiterals(&n.shape); values != nil {
		w.enum(name, values)
		return
	}
	text := w.is(&n.shape, name+"Item", n)
	assign := ""
	if text == "any" || n.kind == refKind {
		assign = "= "
	}
	w.printf("type %s %s%s%s\n\n", name, assign, text, goRemark(&n.shape))
}

// enum declares the values of a string.
func (w *goTypes) enum(name string, values []string) {
	w.printf("type %s string\n\n// The values of %s.\nconst (\n", name, name)
	for _, v := range values {
		w.printf("\t%s %s = %s\n", unique(name+goName(v), w.taken), name, strconv.Quote(v))
	}
	w.WriteString(")\n\n")
}

// object declares a struct.
func (w *goTypes) object(o goObject) {
	members := membersOf(o.shape)
	about := o.name + " is an object without a name."
	if o.root != nil && w.names[o.root] == o.name {
		about = o.name + " is the manifest's " + o.root.name + "."
	}
	goSay(w, "", about, o.shape.notes)
	w.printf("type %s struct {\n", o.name)
	taken := map[string]bool{}
	for _, m := range members {
		goSay(w, "\t", "", m.shape.notes)
		field := unique(goName(m.name), taken)
		text, tag := w.field(m, o.name+field, o.root), m.name
		if m.optional {
			tag += ",omitzero"
		}
		w.printf("\t%s %s `json:%s`%s\n", field, text, strconv.Quote(tag), goRemark(m.shape))
	}
	w.WriteString("}\n\n")
}

// field is the type of a member. What is optional is a pointer, or what is
// nothing when it is nil: an array, say.
func (w *goTypes) field(m member, hint string, root *named) string {
	bare, nullable := m.shape.withoutNull()
	again := w.own[bare] != ""
	text := w.is(bare, hint, root)
	switch {
	case text == "any":
	case m.optional && (strings.HasPrefix(text, "[]") || strings.HasPrefix(text, "map[")):
	case m.optional || nullable && m.shape.kind == unionKind:
		return "*" + text
	case again, bare.kind == refKind && root != nil && contains(bare.ref, root, map[*named]bool{}):
		return "*" + text // or it would contain itself
	}
	return text
}

// is the type of a shape. hint names the struct that it may need.
func (w *goTypes) is(s *shape, hint string, root *named) string {
	switch s.kind {
	case stringKind:
		return "string"
	case numberKind:
		return "float64"
	case integerKind:
		return "int64"
	case booleanKind:
		return "bool"
	case literalKind:
		return goLiteral(s.literal)
	case arrayKind:
		return "[]" + w.is(s.elem, hint, root)
	case tupleKind:
		return "[]any"
	case refKind:
		return w.names[s.ref]
	case unionKind:
		return w.union(s, hint, root)
	case objectKind, allKind:
		if isStruct(s) {
			if w.own[s] == "" {
				w.own[s] = unique(hint, w.taken)
				w.queue = append(w.queue, goObject{w.own[s], s, root})
			}
			return w.own[s]
		}
		if s.kind == objectKind && len(s.members) == 0 && s.rest != nil {
			return "map[string]" + w.is(s.rest, hint, root)
		}
		if s.kind == objectKind {
			return "map[string]any"
		}
	}
	return "any"
}

// union is a type for one of several: one for all of them if there is one.
func (w *goTypes) union(s *shape, hint string, root *named) string {
	bare, nullable := s.withoutNull()
	if nullable {
		text := w.is(bare, hint, root)
		if text == "any" {
			return text
		}
		return "*" + text
	}
	var found []string
	for _, p := range s.parts {
		if !isScalar(p.kind) && p.kind != literalKind {
			return "any"
		}
		if text := w.is(p, hint, root); !slices.Contains(found, text) {
			found = append(found, text)
		}
	}
	slices.Sort(found)
	switch strings.Join(found, " ") {
	case "float64 int64":
		return "float64"
	case "string", "bool", "float64", "int64":
		return found[0]
	}
	return "any"
}

func goLiteral(text string) string {
	switch text[0] {
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	}
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return "int64"
	}
	return "float64"
}

// goRemark says behind a type what it does not.
func goRemark(s *shape) string {
	bare, _ := s.withoutNull()
	switch {
	case s.remark != "":
		return " // " + line(s.remark)
	case bare.kind == unionKind || bare.kind == tupleKind || bare.kind == allKind && !isStruct(bare):
		return " // " + brief(bare)
	case bare.kind == literalKind:
		return " // " + brief(bare)
	}
	return ""
}

// brief is a shape on one line, for a comment.
func brief(s *shape) string {
	const most = 100
	text := []rune(line(tsType(s, "")))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// isStruct reports whether a shape is an object whose members are known by
// names that a tag can hold.
func isStruct(s *shape) bool {
	members := membersOf(s)
	return len(members) > 0 && !slices.ContainsFunc(members, func(m member) bool { return !isTag(m.name) })
}

// membersOf are the members of an object, or of several at once.
func membersOf(s *shape) (members []member) {
	switch s.kind {
	case objectKind:
		return s.members
	case refKind:
		return membersOf(&s.ref.shape)
	case allKind:
		for _, p := range s.parts {
			more := membersOf(p)
			if more == nil {
				return nil
			}
			members = merge(members, more)
		}
	}
	return members
}

// merge adds members to those of the same object.
func merge(members, more []member) []member {
	members = slices.Clone(members)
	for _, m := range more {
		i := slices.IndexFunc(members, func(o member) bool { return o.name == m.name })
		if i < 0 {
			members = append(members, m)
		} else if members[i].optional && !m.optional {
			members[i] = m
		}
	}
	return members
}

// contains reports whether a value of type n holds one of type root, not
// counting what arrays and maps hold.
func contains(n, root *named, seen map[*named]bool) bool {
	if n == root {
		return true
	}
	if seen[n] {
		return false
	}
	seen[n] = true
	return holds(&n.shape, root, seen)
}

func holds(s *shape, root *named, seen map[*named]bool) bool {
	if s.kind == refKind {
		return contains(s.ref, root, seen)
	}
	for _, p := range s.parts {
		if holds(p, root, seen) {
			return true
		}
	}
	for _, m := range s.members {
		if holds(m.shape, root, seen) {
			return true
		}
	}
	return false
}

// stringLiterals are the values of a shape that is one of several strings, nil
// if it is not.
func stringLiterals(s *shape) (values []string) {
	if s.kind != unionKind {
		return nil
	}
	for _, p := range s.parts {
		if p.kind != literalKind || p.literal[0] != '"' {
			return nil
		}
		values = append(values, parse([]byte(p.literal)).text)
	}
	return values
}
