package manifest

import (
	"slices"
	"strings"
)

// The bounds of names, the same as on the wire.
const (
	maxNameBytes  = 255
	maxNameTokens = 16
)

// reservedTokens start the names that belong to the protocol and the daemon.
var reservedTokens = []string{"ipc", "ekko", "events", "broadcast"}

// takenInJS are the methods that a JavaScript client has for itself.
var takenInJS = []string{"subscribe", "publish", "on"}

// hiddenInJS are the names that the language or its tools ask any object for,
// so a JavaScript client never shows a method of that name.
var hiddenInJS = []string{
	"then", "catch", "finally", "toJSON", "inspect", "constructor", "prototype",
	"__proto__", "__esModule", "asymmetricMatch", "nodeType",
}

// CallOnly reports whether a JavaScript client reaches a method of that name by
// $call only, because it, the language or its tools have that name for
// themselves.
func CallOnly(method string) bool {
	return slices.Contains(takenInJS, method) || slices.Contains(hiddenInJS, method)
}

// nameProblem is what is wrong with a name, empty if nothing.
func nameProblem(name string) string {
	if name == "" {
		return "is empty"
	}
	if len(name) > maxNameBytes {
		return "is longer than 255 bytes"
	}
	tokens := strings.Split(name, ".")
	if len(tokens) > maxNameTokens {
		return "has more than 16 tokens"
	}
	for _, t := range tokens {
		if t == "" {
			return "has an empty token: dots stand between tokens"
		}
		for i := range len(t) {
			if !isNameByte(t[i]) {
				return "may hold only letters, digits, _ and -, in tokens joined by dots"
			}
		}
	}
	return ""
}

func isNameByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// isReserved reports whether the name's first token belongs to the protocol.
func isReserved(name string) bool {
	token, _, _ := strings.Cut(name, ".")
	return slices.Contains(reservedTokens, token)
}

// isTypeName reports whether a name can be that of a type: letters, digits and
// underscores, no digit first.
func isTypeName(s string) bool {
	return isIdentifier(s) && !strings.Contains(s, "$") && len(s) <= maxNameBytes
}

// isParameterName reports whether a name can be that of a parameter.
func isParameterName(s string) bool {
	if s == "" || len(s) > maxNameBytes || '0' <= s[0] && s[0] <= '9' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return true
}

// patternProblem is what is wrong with a pattern, empty if nothing: a name in
// which a token may be *, and the last one **.
func patternProblem(p string) string {
	tokens := strings.Split(p, ".")
	stars := 0
	for i, t := range tokens {
		switch t {
		case "**":
			if i != len(tokens)-1 {
				return "has ** before its end"
			}
			tokens[i] = "x"
		case "*":
			tokens[i] = "x"
			stars++
		}
	}
	if stars > 4 {
		return "has more than 4 wildcards"
	}
	if strings.Contains(strings.Join(tokens, "."), "*") {
		return "has a * that is not a whole token"
	}
	if len(p) > maxNameBytes {
		return "is longer than 255 bytes"
	}
	return nameProblem(strings.Join(tokens, "."))
}

// isLiteral reports whether a pattern matches nothing but itself.
func isLiteral(p string) bool { return !strings.Contains(p, "*") }

// matchPattern reports whether a name fits a pattern: * is one token, ** one or
// more.
func matchPattern(p, name string) bool {
	for {
		pt, pRest, pMore := strings.Cut(p, ".")
		nt, nRest, nMore := strings.Cut(name, ".")
		if pt == "**" {
			return name != ""
		}
		if pt != "*" && pt != nt || nt == "" || pMore != nMore {
			// A trailing ** needs at least one token more.
			return false
		}
		if !pMore {
			return true
		}
		p, name = pRest, nRest
	}
}
