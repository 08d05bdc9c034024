package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// oneLine returns a JSON text without the space around its tokens.
func oneLine(text []byte) string {
	var line bytes.Buffer
	if len(text) == 0 {
		return "null"
	}
	if err := json.Compact(&line, text); err != nil {
		return string(text)
	}
	return line.String()
}

// layOut returns a JSON text with a line for each member, painted.
func layOut(text []byte, paint palette) string {
	var lines bytes.Buffer
	if err := json.Indent(&lines, text, "", "  "); err != nil {
		return string(text)
	}
	return paintJSON(lines.String(), paint)
}

// paintJSON paints the tokens of a JSON text: names, strings, numbers and
// words each in a colour of their own. Anything else it leaves as it is.
func paintJSON(text string, paint palette) string {
	if !paint {
		return text
	}
	var painted strings.Builder
	for text != "" {
		token := jsonToken(text)
		rest := text[len(token):]
		switch first := token[0]; {
		case first == '"' && strings.HasPrefix(rest, ":"):
			token = paint.blue(token)
		case first == '"':
			token = paint.green(token)
		case first == '-' || '0' <= first && first <= '9':
			token = paint.yellow(token)
		case 'a' <= first && first <= 'z':
			token = paint.purple(token)
		}
		painted.WriteString(token)
		text = rest
	}
	return painted.String()
}

// jsonToken returns the token at the front of text: a string, a number or a
// word whole, anything else byte by byte.
func jsonToken(text string) string {
	if text[0] != '"' {
		end := strings.IndexAny(text, " \n,:[]{}\"")
		if end < 0 {
			return text
		}
		return text[:max(end, 1)]
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[:i+1]
		}
	}
	return text
}

// shorten cuts text to width characters, with an ellipsis in place of the
// rest.
func shorten(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// pad fills text with spaces up to width characters. It comes before painting:
// colours have no width.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
