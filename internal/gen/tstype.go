package gen

import (
	"slices"
	"strings"
)

// tsType writes a shape as TypeScript. What takes several lines goes on behind
// indent.
func tsType(s *shape, indent string) string {
	text := tsBare(s, indent)
	if s.remark != "" {
		text += " /* " + inBlock(line(s.remark)) + " */"
	}
	return text
}

func tsBare(s *shape, indent string) string {
	switch s.kind {
	case neverKind:
		return "never"
	case stringKind:
		return "string"
	case numberKind, integerKind:
		return "number"
	case booleanKind:
		return "boolean"
	case nullKind:
		return "null"
	case literalKind:
		return tsLiteral(s.literal)
	case objectKind:
		return tsObject(s, indent)
	case arrayKind:
		return tsWithin(s.elem, indent) + "[]"
	case tupleKind:
		return tsTuple(s, indent)
	case refKind:
		return tsTypeName(s.ref.name)
	case unionKind:
		return tsJoin(s.parts, " | ", indent)
	case allKind:
		return tsJoin(s.parts, " & ", indent)
	}
	return "unknown"
}

// tsWithin is a type that something binds to.
func tsWithin(s *shape, indent string) string {
	text := tsType(s, indent)
	if s.kind == unionKind || s.kind == allKind || s.remark != "" {
		return "(" + text + ")"
	}
	return text
}

func tsJoin(parts []*shape, by, indent string) string {
	var texts []string
	for _, p := range parts {
		texts = append(texts, tsWithin(p, indent))
	}
	return strings.Join(texts, by)
}

func tsLiteral(text string) string {
	if text[0] != '"' {
		return text
	}
	return tsQuote(parse([]byte(text)).text)
}

func tsTuple(s *shape, indent string) string {
	var texts []string
	for i, p := range s.parts {
		text := tsWithin(p, indent)
		if i >= s.least {
			text += "?"
		}
		texts = append(texts, text)
	}
	if s.elem != nil {
		texts = append(texts, "..."+tsWithin(s.elem, indent)+"[]")
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// tsAnyObject takes an object of any class, too, which { [name: string]:
// unknown } does not.
const tsAnyObject = "Record<string, any>"

func tsObject(s *shape, indent string) string {
	if s.isFreeObject() {
		return tsAnyObject
	}
	if text, ok := tsOneLine(s, indent); ok {
		return text
	}
	return tsMembers(s, indent)
}

// tsOneLine is a small object.
func tsOneLine(s *shape, indent string) (string, bool) {
	const longest = 100
	if small := smallest; !s.isSmall(&small) { // else each would be written twice, and each within it four times
		return "", false
	}
	texts := make([]string, 0, len(s.members)+1)
	for _, m := range s.members {
		var d jsdoc
		if d.notes(m.shape.notes); len(d.lines) > 0 {
			return "", false
		}
		texts = append(texts, tsDeclared(m, indent))
	}
	if s.rest != nil {
		texts = append(texts, tsRest(s, indent))
	}
	text := "{ " + strings.Join(texts, "; ") + " }"
	return text, len(text) <= longest && !strings.Contains(text, "\n")
}

// smallest is of how many parts an object may be that stands on one line.
const smallest = 16

// isSmall counts the parts of a shape down from what is left.
func (s *shape) isSmall(left *int) bool {
	if *left--; *left < 0 {
		return false
	}
	inner := slices.Clone(s.parts)
	for _, m := range s.members {
		inner = append(inner, m.shape)
	}
	if s.elem != nil {
		inner = append(inner, s.elem)
	}
	if s.rest != nil {
		inner = append(inner, s.rest)
	}
	return !slices.ContainsFunc(inner, func(p *shape) bool { return !p.isSmall(left) })
}

// tsMembers is an object with a line for each member.
func tsMembers(s *shape, indent string) string {
	var b strings.Builder
	b.WriteString("{\n")
	inner := indent + "  "
	for _, m := range s.members {
		var d jsdoc
		d.notes(m.shape.notes)
		b.WriteString(d.text(inner) + inner + tsDeclared(m, inner) + ";\n")
	}
	if s.rest != nil {
		b.WriteString(inner + tsRest(s, inner) + ";\n")
	}
	b.WriteString(indent + "}")
	return b.String()
}

func tsDeclared(m member, indent string) string {
	mark := ": "
	if m.optional {
		mark = "?: "
	}
	return tsMember(m.name) + mark + tsType(m.shape, indent)
}

// tsRest is what is said of the members that have no name. The compiler wants
// it to fit those with a name, too.
func tsRest(s *shape, indent string) string {
	all := []*shape{s.rest}
	optional := false
	for _, m := range s.members {
		all = append(all, m.shape)
		optional = optional || m.optional
	}
	together := oneOf(all...)
	text := tsType(together, indent)
	if optional && together.kind != anyKind {
		text = tsWithin(together, indent) + " | undefined"
	}
	return "[name: string]: " + text
}
