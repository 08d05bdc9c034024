package gen

import (
	"strings"
	"unicode"
)

// lines takes what people wrote apart into lines that are safe in any comment:
// no line break of any language and nothing invisible is left within them.
func lines(text string) []string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n").Replace(text)
	var out []string
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		out = append(out, strings.TrimRightFunc(strings.Map(seen, line), unicode.IsSpace))
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// seen drops the characters that change how others look, or what a compiler
// takes a text for.
func seen(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || r == unicode.ReplacementChar:
		return -1
	}
	return r
}

// line is what people wrote on one line.
func line(text string) string { return strings.TrimSpace(strings.Join(lines(text), " ")) }

// inBlock makes a line safe within /* and */.
func inBlock(text string) string { return strings.ReplaceAll(text, "*/", "*\\/") }

// inJSDoc makes a line safe within a JSDoc comment: it begins no tag there.
func inJSDoc(text string) string {
	var b strings.Builder
	before := ' '
	for _, r := range inBlock(text) {
		if r == '@' && (before == '{' || unicode.IsSpace(before)) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}
