package filter

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// next is the character at which the parser stands, NUL at the end.
func (p *parser) next() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) space() {
	for p.at < len(p.text) && isSpace(p.text[p.at]) {
		p.at++
	}
}

func isSpace(c byte) bool { return c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t') }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// take goes past white space and a piece of text, if that is what comes.
func (p *parser) take(text string) bool {
	p.space()
	if !strings.HasPrefix(p.text[p.at:], text) {
		return false
	}
	p.at += len(text)
	return true
}

// word reads a name, "" if none comes.
func (p *parser) word() string {
	start := p.at
	p.at += nameLength(p.text[p.at:])
	return p.text[start:p.at]
}

// signs reads a run of the characters that operators are made of.
func (p *parser) signs() string {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte("=!<>&|~^+*/%", p.text[p.at]) >= 0 {
		if p.at > start && p.text[p.at] == '!' { // a new one
			break
		}
		p.at++
	}
	return p.text[start:p.at]
}

// path reads a field.
func (p *parser) path() ([]step, error) {
	start := p.at
	var path []step
	switch name := p.word(); {
	case name == "" && p.next() != '[':
		return nil, p.expected("a field")
	case name == "true", name == "false", name == "null":
		p.at = start
		return nil, p.failf(start, `expected a field, found %s: a field of that name is written ["%s"]`, name, name)
	case name != "":
		path = append(path, step{name, -1})
	}
	for {
		var s step
		var err error
		switch p.next() {
		case '.':
			p.at++
			if s = (step{p.word(), -1}); s.name == "" {
				return nil, p.afterDot()
			}
		case '[':
			if s, err = p.bracket(); err != nil {
				return nil, err
			}
		default:
			return path, nil
		}
		if len(path) == maxSteps {
			return nil, p.failf(start, "more than %d steps in a path", maxSteps)
		}
		path = append(path, s)
	}
}

// afterDot is what is wrong when no name follows a dot.
func (p *parser) afterDot() error {
	digits := p.text[p.at:]
	for i := range len(digits) {
		if !isDigit(digits[i]) {
			digits = digits[:i]
			break
		}
	}
	if digits != "" {
		return p.failf(p.at, `expected a name after the dot, found %s: did you mean "[%s]"?`, clip(digits), clip(digits))
	}
	return p.expected("a name after the dot")
}

// bracket reads a name or an index in brackets.
func (p *parser) bracket() (step, error) {
	p.at++
	p.space()
	s := step{index: -1}
	var err error
	switch c := p.next(); {
	case c == '"' || c == '\'':
		s.name, err = p.string()
	case isDigit(c):
		start := p.at
		for isDigit(p.next()) {
			p.at++
		}
		if s.index, err = strconv.Atoi(p.text[start:p.at]); err != nil || p.at-start > 9 {
			err = p.failf(start, "the index %s is too large", clip(p.text[start:p.at]))
		}
	default:
		err = p.expected("an index, or a name in quotes")
	}
	if err == nil && !p.take("]") {
		err = p.expected("]")
	}
	return s, err
}

// literal reads a value to compare with.
func (p *parser) literal() (literal, error) {
	start := p.at
	switch c := p.next(); {
	case c == '"' || c == '\'':
		text, err := p.string()
		return literal{kind: aText, text: []byte(text)}, err
	case c == '-' || isDigit(c):
		return p.number()
	}
	switch p.word() {
	case "true":
		return literal{kind: aTrue}, nil
	case "false":
		return literal{kind: aFalse}, nil
	case "null":
		return literal{kind: aNull}, nil
	}
	p.at = start
	return literal{}, p.expected("a value")
}

// number reads a number by the grammar of JSON.
func (p *parser) number() (literal, error) {
	start := p.at
	if p.next() == '-' {
		p.at++
	}
	leading := p.next() == '0'
	whole := p.digits()
	if leading && whole > 1 {
		return literal{}, p.failf(start, "expected a number without leading zeros, found %s", quote(p.text[start:p.at]))
	}
	good := whole > 0
	if good && p.next() == '.' {
		p.at++
		good = p.digits() > 0
	}
	if good && p.next()|0x20 == 'e' {
		if p.at++; p.next() == '+' || p.next() == '-' {
			p.at++
		}
		good = p.digits() > 0
	}
	if !good {
		return literal{}, p.expected("a digit")
	}
	if end := p.run(); end > p.at {
		return literal{}, p.failf(start, "expected a number, found %s: a text needs quotes", quote(p.text[start:end]))
	}
	return numberLiteral([]byte(p.text[start:p.at])), nil
}

func (p *parser) digits() int {
	start := p.at
	for isDigit(p.next()) {
		p.at++
	}
	return p.at - start
}

// run is where the text ends that could belong to a number.
func (p *parser) run() int {
	if n := strings.IndexAny(p.text[p.at:], " \t\r\n)]&|,"); n >= 0 {
		return p.at + n
	}
	return len(p.text)
}

// string reads a text in either kind of quotes.
func (p *parser) string() (string, error) {
	end, start := p.next(), p.at
	escaped := false
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == end:
			text := p.text[start+1 : p.at]
			p.at++
			if escaped {
				text = string(unescape(nil, []byte(text)))
			}
			return text, nil
		case c < ' ':
			return "", p.failf(p.at, "a control character within a text: write it as an escape, such as \\n")
		case c == '\\':
			n := escapeLength(p.text[p.at:])
			if n == 0 {
				return "", p.failf(p.at, "expected an escape of JSON, found %s", quote(p.text[p.at:min(len(p.text), p.at+6)]))
			}
			escaped = true
			p.at += n - 1
		}
	}
	return "", p.failf(start, "a text without its closing %c", end)
}

// escapeLength is the length of the escape that s begins with, a surrogate
// with its other half; 0 if it is none.
func escapeLength(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\'', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r, n := unicodeEscape([]byte(s))
		if r == utf8.RuneError && !strings.EqualFold(s[:min(6, len(s))], `\ufffd`) {
			return 0
		}
		return n
	}
	return 0
}
