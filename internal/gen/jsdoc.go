package gen

import "strings"

// jsdoc gathers the lines of a comment.
type jsdoc struct{ lines []string }

// say adds what people wrote.
func (d *jsdoc) say(text string) {
	for _, l := range lines(text) {
		d.lines = append(d.lines, inJSDoc(l))
	}
}

// tag adds a tag: its first line behind the word, the others below it.
func (d *jsdoc) tag(word, text string) {
	first := true
	for _, l := range lines(text) {
		if first {
			l, first = word+" "+strings.TrimLeft(inJSDoc(l), " "), false
		} else {
			l = "  " + inJSDoc(l)
		}
		d.lines = append(d.lines, l)
	}
	if first {
		d.lines = append(d.lines, word)
	}
}

// notes adds what a shape says for people.
func (d *jsdoc) notes(n notes) {
	d.say(n.description)
	if len(n.asks) > 0 {
		d.say("(" + strings.Join(n.asks, ", ") + ")")
	}
	if n.deprecated {
		d.tag("@deprecated", "")
	}
}

// text is the comment, each line behind indent; empty if nothing was said.
func (d *jsdoc) text(indent string) string {
	switch {
	case len(d.lines) == 0:
		return ""
	case len(d.lines) == 1:
		return indent + "/** " + d.lines[0] + " */\n"
	}
	var b strings.Builder
	b.WriteString(indent + "/**\n")
	for _, l := range d.lines {
		b.WriteString(strings.TrimRight(indent+" * "+l, " ") + "\n")
	}
	b.WriteString(indent + " */\n")
	return b.String()
}
