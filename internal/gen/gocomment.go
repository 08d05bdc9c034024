package gen

import (
	"io"
	"slices"
	"strings"
)

// manifestSays is why something is deprecated that says no more of it.
const manifestSays = "the manifest says so."

// goSay writes a comment of whole lines: first what it is about, then what
// people wrote.
func goSay(w io.Writer, indent, about string, n notes) {
	text := about + "\n\n" + n.description
	if len(n.asks) > 0 {
		text += "\n\nIt has: " + strings.Join(n.asks, ", ") + "."
	}
	if n.deprecated {
		text += "\n\nDeprecated: " + manifestSays
	}
	for _, l := range goLines(text) {
		io.WriteString(w, strings.TrimRight(indent+"// "+l, " ")+"\n")
	}
}

// goLines are paragraphs of lines, with one empty line between two.
func goLines(text string) []string {
	list := lines(text)
	for i, l := range list {
		list[i] = goLine(l)
	}
	list = slices.CompactFunc(list, func(a, b string) bool { return a == "" && b == "" })
	if len(list) > 0 && list[0] == "" {
		list = list[1:]
	}
	for i, l := range list {
		if l != "" && (i+1 == len(list) || list[i+1] == "") {
			list[i] = ended(l)
		}
	}
	return list
}

// goLine is a line that neither gofmt nor the go command sees a meaning in: it
// begins no code, list, heading or build constraint, which gofmt even carries
// to the top of the file.
func goLine(text string) string {
	text = strings.TrimSpace(text)
	for text != "" && strings.ContainsAny(text[:1], "+#-*•[") {
		text = strings.TrimSpace(text[1:])
	}
	return text
}

// ended is a line with a full stop, without which gofmt takes a paragraph of
// one line for a heading.
func ended(text string) string {
	if strings.ContainsAny(text[len(text)-1:], ".!?:;,)") {
		return text
	}
	return text + "."
}
