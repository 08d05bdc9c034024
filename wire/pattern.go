package wire

import "strings"

const maxStars = 4 // tokens "*" of a pattern

// A Pattern selects names: "*" stands for exactly one token, and "**", which
// can only be the last, for one or more. All else stands for itself. Patterns
// are comparable: two are equal when they are written alike. The zero Pattern
// matches nothing.
type Pattern struct {
	text string
	wild bool
}

// ParsePattern returns the pattern written in s: at most 255 bytes, 16 tokens
// and four "*". Its failure has CodeInvalidPattern.
func ParsePattern(s string) (Pattern, error) {
	stars, wild, why := 0, false, ""
	if len(s) > maxName {
		return Pattern{}, Errorf(CodeInvalidPattern, "pattern %s: longer than 255 bytes", quoteShort(s))
	}
	tokens := 0
	for rest, more := s, true; more && why == ""; tokens++ {
		var token string
		token, rest, more = strings.Cut(rest, ".")
		switch {
		case token == "*":
			stars, wild = stars+1, true
		case token == "**" && more:
			why = "\"**\" can only be the last token"
		case token == "**":
			wild = true
		case strings.Contains(token, "*"):
			why = "\"*\" stands for a whole token"
		default:
			why = nameFault(token)
		}
	}
	switch {
	case why != "":
	case tokens > maxTokens:
		why = "more than 16 tokens"
	case stars > maxStars:
		why = "more than four \"*\""
	}
	if why != "" {
		return Pattern{}, Errorf(CodeInvalidPattern, "pattern %s: %s", quoteShort(s), why)
	}
	return Pattern{text: s, wild: wild}, nil
}

// Match reports whether p selects name.
func (p Pattern) Match(name string) bool {
	if !p.wild {
		return p.text == name && name != ""
	}
	rest := p.text
	for {
		token, later, more := strings.Cut(rest, ".")
		if token == "**" {
			return name != ""
		}
		have, left, tail := strings.Cut(name, ".")
		if have == "" || token != "*" && token != have || more != tail {
			return false
		}
		if !more {
			return true
		}
		rest, name = later, left
	}
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// IsLiteral reports whether p has no wildcard, and so matches one name only.
func (p Pattern) IsLiteral() bool { return !p.wild }
