package gen

import "strings"

// mdEscaper takes the meaning from what Markdown has one for.
var mdEscaper = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "[", `\[`, "]", `\]`, "<", `\<`, "|", `\|`, "&", `\&`)

func mdEscape(text string) string { return mdEscaper.Replace(text) }

// mdStart keeps a line from being more than a line of a paragraph.
func mdStart(text string) string {
	if text != "" && strings.ContainsAny(text[:1], "#>-+~=_") {
		return `\` + text
	}
	if digits := strings.TrimLeft(text, "0123456789"); len(digits) < len(text) && digits != "" && strings.ContainsAny(digits[:1], ".)") {
		return text[:len(text)-len(digits)] + `\` + digits
	}
	return text
}

// mdLine is what people wrote, within a line.
func mdLine(text string) string { return mdEscape(line(text)) }

// mdCode is a piece of code, whatever is in it.
func mdCode(text string) string {
	text = line(text)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if fence != "`" || text == "" {
		text = " " + text + " "
	}
	return fence + text + fence
}

// mdCell makes code safe in a table, whose cells end at a bar even there.
func mdCell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// inFence makes lines safe between ``` and ```.
func inFence(text string) string { return strings.ReplaceAll(text, "```", "`\u200b``") }
