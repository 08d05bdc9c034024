package filter

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ekkojs/ipc/wire"
)

// failf is an error about what stands at a byte of the text. People get the
// place in characters from 1, programs in bytes from 0.
func (p *parser) failf(at int, format string, args ...any) error {
	column := 1 + utf8.RuneCountInString(p.text[:at])
	e := wire.Errorf(wire.CodeInvalidArgument, "filter, column %d: %s", column, fmt.Sprintf(format, args...))
	e.Details.More = map[string]any{"offset": at}
	return e
}

// expected is an error about what is next.
func (p *parser) expected(what string) error {
	return p.failf(p.at, "expected %s, found %s%s", what, p.found(), p.hint(what))
}

// found names what is next.
func (p *parser) found() string {
	switch c := p.next(); {
	case p.at == len(p.text):
		return "the end"
	case c == '"' || c == '\'':
		return "a text"
	case c == '-' || isDigit(c):
		return "a number"
	}
	if w := p.ahead(); w != "" {
		return quote(w)
	}
	_, size := utf8.DecodeRuneInString(p.text[p.at:])
	return quote(p.text[p.at : p.at+size])
}

// ahead is the word or operator that is next.
func (p *parser) ahead() string {
	q := *p
	if w := q.word(); w != "" {
		return w
	}
	return q.signs()
}

// hint is ": did you mean …?" where there is something to suggest.
func (p *parser) hint(expected string) string {
	word := p.ahead()
	switch {
	case expected == "a field" && p.at < len(p.text):
		if c := p.next(); c == '"' || c == '\'' || c == '-' || isDigit(c) {
			return ": the field stands first, the value after it"
		}
	case expected == "a value" && isName(word):
		if near := nearest(word, []string{"true", "false", "null"}); near != "" {
			return ": did you mean " + quote(near) + "?"
		}
		return ": a text needs quotes, which a shell may have taken away"
	case strings.Contains(expected, "&&"):
		if near := meant(word); near != "" {
			return ": did you mean " + quote(near) + "?"
		}
	}
	return ""
}

// otherwise are operators as other languages write them.
var otherwise = map[string]string{
	"=": "==", "===": "==", "is": "==", "eq": "==", "equals": "==",
	"!==": "!=", "<>": "!=", "ne": "!=", "neq": "!=",
	"=<": "<=", "=>": ">=", "lt": "<", "lte": "<=", "le": "<=", "gt": ">", "gte": ">=", "ge": ">=",
	"&": "&&", "and": "&&", "|": "||", "or": "||",
	"hasprefix": "startsWith", "hassuffix": "endsWith", "like": "contains", "includes": "contains", "~": "contains", "=~": "contains",
}

// meant is the operator that somebody most likely meant, "" if that is not clear.
func meant(word string) string {
	if op := otherwise[strings.ToLower(word)]; op != "" {
		return op
	}
	if !isName(word) {
		return ""
	}
	return nearest(strings.ReplaceAll(word, "_", ""), spellings[opIn:])
}

// nearest is the candidate that word is a slip away from: other capitals, or a
// letter too many, too few or wrong.
func nearest(word string, candidates []string) string {
	for _, c := range candidates {
		if strings.EqualFold(word, c) || len(c) > 3 && len(word) > 3 && isSlip(strings.ToLower(word), strings.ToLower(c)) {
			return c
		}
	}
	return ""
}

// isSlip reports whether a and b are equal but for one letter, or two that
// changed places.
func isSlip(a, b string) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1 || len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}

// quote puts what stands in the text, or could, into a message.
func quote(s string) string { return strconv.Quote(clip(s)) }

// clip is somebody's text, short enough for a message.
func clip(s string) string {
	const most = 32
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
