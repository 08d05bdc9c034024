package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// Editors save in other ways than plain UTF-8; the message says which.
func TestEncodings(t *testing.T) {
	for text, want := range map[string]string{
		"\xef\xbb\xbf" + minimal:             "byte order mark",
		"\xff\xfe{\x00}\x00":                 "UTF-16",
		"\xfe\xff\x00{\x00}":                 "UTF-16",
		"":                                   "is empty",
		"\r\n\t ":                            "is empty",
		"{\"service\": {\"name\": \"\xff\"}": "UTF-8",
	} {
		problems := Lint([]byte(text))
		if len(problems) != 1 || problems[0].Severity != Error || !strings.Contains(problems[0].Message, want) {
			t.Errorf("%q: %v", text, problems)
		}
	}
}

// Line ends of either kind count as one.
func TestLineEnds(t *testing.T) {
	problems := Lint([]byte("{\r\n  \"service\": {\r\n    \"name\": 5\r\n  }\r\n}\r\n"))
	if len(problems) != 1 || problems[0].Line != 3 || problems[0].Column != 13 {
		t.Errorf("%v", problems)
	}
}

// many joins n texts made from their numbers.
func many(n int, part func(i int) string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = part(i)
	}
	return strings.Join(parts, ",")
}

// However much is wrong, the report stays readable, and an error is never lost
// behind warnings.
func TestReportsAreBounded(t *testing.T) {
	text := `{"service":{"name":"shop"},` +
		many(2*maxProblems, func(i int) string { return fmt.Sprintf(`"field%d":0`, i) }) + `,` +
		`"types":{` + many(2*maxProblems, func(i int) string { return fmt.Sprintf(`"t%d":"x%d"`, i, i) }) + `}}`
	problems := Lint([]byte(text))
	warnings, errors := 0, 0
	for _, p := range problems {
		if p.Severity == Error {
			errors++
		} else {
			warnings++
		}
	}
	if warnings != maxProblems || errors != maxProblems {
		t.Errorf("%d warnings and %d errors", warnings, errors)
	}
	if _, err := Parse([]byte(text)); err == nil {
		t.Error("it was accepted")
	}
}

// Texts made to be slow are read in the time that others take. There is no
// clock here: what was quadratic once would be noticed by the whole run.
func TestHostileTexts(t *testing.T) {
	wrap := func(field, content string) string {
		return `{"service":{"name":"shop"},"` + field + `":{` + content + `}}`
	}
	const n = 10_000
	big := &Options{MaxSize: MaxSize}
	for name, text := range map[string]string{
		"chain of types":  wrap("types", many(n, func(i int) string { return fmt.Sprintf(`"t%d":"t%d"`, i, min(i+1, n-1)) })),
		"unknown types":   wrap("types", many(n, func(i int) string { return fmt.Sprintf(`"t%d":"x%d"`, i, i) })),
		"cycles":          wrap("types", many(n/2, func(i int) string { return fmt.Sprintf(`"t%d":{"a":"t%d","b":"t0"}`, i, (i+1)%(n/2)) })),
		"schemas":         wrap("types", many(n/2, func(i int) string { return fmt.Sprintf(`"t%d":{"$ref":"#/types/t%d"}`, i, i/2) })),
		"one big schema":  wrap("types", `"t":{"properties":{`+many(maxKeywords, func(i int) string { return fmt.Sprintf(`"p%d":{"type":"string"}`, i) })+`}}`),
		"patterns":        wrap("events", many(n/4, func(i int) string { return fmt.Sprintf(`"e%d.x":{}`, i) })+`},"channels":{"c":{"events":[`+many(n/4, func(i int) string { return fmt.Sprintf(`"*.y%d"`, i) })+`]}`),
		"values":          wrap("x-values", `"a":[`+many(maxValues, func(int) string { return "1" })+`]`),
		"many parameters": wrap("methods", `"m":{"parameters":[`+many(n/4, func(i int) string { return fmt.Sprintf(`{"name":"p%d"}`, i) })+`]}`),
		"brackets":        strings.Repeat("[", MaxSize),
	} {
		if problems := big.Lint([]byte(text)); len(problems) == 0 {
			t.Errorf("%s: nothing to complain of", name)
		}
	}
}
