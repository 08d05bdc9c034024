package gen

import (
	"io"
	"strings"
)

// manifestSays is why something is deprecated that says no more of it.
const manifestSays = "the manifest says so."

// goSay writes a comment of whole lines: first what it is about, then what
// people wrote.
func goSay(w io.Writer, indent, about string, n notes) {
	var list []string
	if about != "" {
		list = append(list, line(about))
	}
	add := func(text string) {
		if more := lines(text); len(more) > 0 && strings.Join(more, "") != "" {
			if len(list) > 0 {
				list = append(list, "")
			}
			list = append(list, more...)
		}
	}
	add(n.description)
	if len(n.asks) > 0 {
		add("It has: " + strings.Join(n.asks, ", ") + ".")
	}
	if n.deprecated {
		add("Deprecated: " + manifestSays)
	}
	for i, l := range list {
		if l != "" && (i+1 == len(list) || list[i+1] == "") {
			l = ended(l)
		}
		io.WriteString(w, strings.TrimRight(indent+"// "+l, " ")+"\n")
	}
}

// ended is a line with a full stop, without which gofmt takes a paragraph of
// one line for a heading.
func ended(text string) string {
	if strings.ContainsAny(text[len(text)-1:], ".!?:;,)") {
		return text
	}
	return text + "."
}
