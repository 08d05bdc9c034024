package manifest

import (
	"slices"
	"strconv"
	"strings"
)

// Violation is how data broke what the manifest promises.
type Violation struct {
	// Path is the JSON pointer of the offending value: /0/email in a result or
	// an event; in arguments the first token is the parameter's name, as in
	// /userData/email. Empty when the data as a whole is meant.
	Path string
	// Rule is the stable name of what was broken: "type", "required", "range",
	// "unknown", "arguments", "depth", "json", or a keyword of JSON Schema such
	// as "minLength".
	Rule     string
	Expected string // such as "number"; empty where Message says it all
	Got      string // such as "string", "nothing" for an absent value
	Message  string // all of the above for a reader
}

// Error is the violation's message.
func (v *Violation) Error() string { return v.Message }

// violation turns what was collected into an error. The root word says what the
// path starts from: "parameter", "result", "event user.created"; nothing if the
// message goes on from other words.
func (f *fail) violation(root string) *Violation {
	slices.Reverse(f.path)
	v := &Violation{Path: pointer(f.path), Rule: f.rule, Expected: f.expected, Got: f.got}
	var b strings.Builder
	b.WriteString(f.place(root))
	if b.Len() > 0 && (f.note != "" || f.rule != "required") {
		b.WriteString(": ")
	}
	switch {
	case f.note != "":
		b.WriteString(f.note)
	case f.rule == "required":
		b.WriteString(" is missing: expected " + f.expected)
	default:
		b.WriteString("expected " + f.expected + ", got " + f.got)
	}
	if f.hint != "" {
		b.WriteString(": ")
		b.WriteString(f.hint)
	}
	v.Message = b.String()
	return v
}

// place spells the path as a JavaScript reader would: result.user.tags[2].
func (f *fail) place(root string) string {
	if root == rootParameter && (len(f.path) == 0 || f.rule == "unknown") {
		return "" // the message is about the arguments as a whole
	}
	var b strings.Builder
	b.WriteString(root)
	for i, s := range f.path {
		switch {
		case s.index >= 0:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case i == 0 && root == rootParameter:
			b.WriteString(" " + s.name)
		case isIdentifier(s.name) && b.Len() == 0:
			b.WriteString(s.name)
		case isIdentifier(s.name):
			b.WriteString("." + s.name)
		default:
			b.WriteString("[" + strconv.Quote(s.name) + "]")
		}
	}
	return b.String()
}

// The roots of violations.
const (
	rootParameter = "parameter"
	rootResult    = "result"
)

// pointer is the JSON pointer of a path.
func pointer(path []step) string {
	var b strings.Builder
	for _, s := range path {
		b.WriteByte('/')
		if s.index >= 0 {
			b.WriteString(strconv.Itoa(s.index))
		} else {
			b.WriteString(escapePointer(s.name))
		}
	}
	return b.String()
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

func escapePointer(token string) string { return pointerEscaper.Replace(token) }

// isIdentifier reports whether a name needs no quotes in JavaScript.
func isIdentifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', c == '_', c == '$':
		case '0' <= c && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return s != ""
}
