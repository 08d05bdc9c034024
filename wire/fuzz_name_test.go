package wire

import (
	"regexp"
	"strings"
	"testing"
)

// The grammar of names by another hand. In Go's regexp $ is the end of the
// text and nothing else.
var (
	oracleToken = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	oracleName  = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,15}$`)
)

func FuzzName(f *testing.F) {
	for _, c := range readVectors[nameVector](f, "name").Cases {
		f.Add(c.Name)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := len(s) <= 255 && oracleName.MatchString(s)
		if err := CheckName(s); (err == nil) != want {
			t.Fatalf("CheckName(%q) is %v", s, err)
		}
		event := strings.TrimPrefix(s, "events.")
		want = len(event) <= 255 && oracleName.MatchString(event)
		if err := CheckChannel(s); (err == nil) != want {
			t.Fatalf("CheckChannel(%q) is %v", s, err)
		}
		service, method := SplitChannel([]byte(s))
		if method == nil && string(service) != s || method != nil && string(service)+"."+string(method) != s {
			t.Fatalf("%q split into %q and %q", s, service, method)
		}
		if channel := EventChannel(s); string(EventName([]byte(channel))) != strings.TrimPrefix(s, "events.") {
			t.Fatalf("%q travels on %q", s, channel)
		}
	})
}

// oraclePattern matches by splitting, token by token.
func oraclePattern(pattern, name string) bool {
	p, n := strings.Split(pattern, "."), strings.Split(name, ".")
	for k, token := range p {
		switch {
		case token == "**":
			return len(n) > k
		case k >= len(n), token != "*" && token != n[k]:
			return false
		}
	}
	return len(p) == len(n)
}

// oraclePatternGrammar says whether a pattern may be parsed.
func oraclePatternGrammar(s string) bool {
	tokens := strings.Split(s, ".")
	stars := 0
	for k, token := range tokens {
		switch {
		case token == "*":
			stars++
		case token == "**" && k == len(tokens)-1:
		case !oracleToken.MatchString(token):
			return false
		}
	}
	return stars <= 4 && len(tokens) <= 16 && len(s) <= 255
}

func FuzzPattern(f *testing.F) {
	for _, c := range readVectors[nameVector](f, "pattern").Cases {
		for _, name := range append(c.Match, c.Miss...) {
			f.Add(c.Name, name)
		}
		f.Add(c.Name, "a.b")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		p, err := ParsePattern(pattern)
		if want := oraclePatternGrammar(pattern); (err == nil) != want {
			t.Fatalf("ParsePattern(%q) is %v", pattern, err)
		}
		got := p.Match(name) // must not panic, whatever the name is
		if err != nil {
			if got || p != (Pattern{}) || CodeOf(err) != CodeInvalidPattern {
				t.Fatalf("%q, %v: matches", pattern, err)
			}
			return
		}
		if p.IsLiteral() != !strings.Contains(pattern, "*") || p.String() != pattern {
			t.Fatalf("%q is %q, literal %t", pattern, p, p.IsLiteral())
		}
		if CheckName(name) == nil && got != oraclePattern(pattern, name) {
			t.Fatalf("Match(%q, %q) is %t", pattern, name, got)
		}
	})
}
