package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a parameter or result says of itself in several fields comes to one type.
func TestShapes(t *testing.T) {
	for fields, want := range map[string]string{
		`"type": "object"`: "object",
		`"type": "object", "schema": {"id": "number"}`:                            "{id: number}",
		`"type": "object", "schema": "User"`:                                      "User",
		`"type": "object?", "schema": "User"`:                                     "User?",
		`"type": "object", "schema": {}`:                                          "object",
		`"type": "object", "schema": {"required": ["a"]}`:                         "object",
		`"type": "any", "schema": "User[]"`:                                       "User[]",
		`"schema": {"id": "number"}`:                                              "{id: number}",
		`"schema": "string"`:                                                      "string",
		`"type": "array", "elementType": "string"`:                                "string[]",
		`"type": "array?", "elementType": "string?"`:                              "string?[]?",
		`"elementType": "User"`:                                                   "User[]",
		`"type": "array", "elementType": {"id": "number"}`:                        "{id: number}[]",
		`"type": "array", "schema": {"id": "number"}`:                             "{id: number}[]",
		`"type": "array", "schema": "User"`:                                       "User[]",
		`"type": "array", "schema": "Users"`:                                      "Users",
		`"type": "array", "schema": "string[]"`:                                   "string[]",
		`"type": "array?", "schema": {"id": "number"}`:                            "{id: number}[]?",
		`"type": "string", "nullable": true`:                                      "string?",
		`"type": "string?", "nullable": false`:                                    "string?",
		`"type": {"id": "number", "tags": "string[]?"}`:                           "{id: number, tags?: string[]}",
		`"type": "User[][]"`:                                                      "User[][]",
		`"type": "object", "schema": {"a b": "number", "c": {"d": "null"}}`:       `{"a b": number, c: {d: null}}`,
		`"type": "object", "schema": {"u": {"$ref": "#/types/User"}, "v": "any"}`: "{u: User, v: any}",
		`"type": "object", "schema": {"e": {"enum": [1]}}`:                        "{e: any}",
		`"type": "object", "schema": {"e": {"type": "string", "minLength": 1}}`:   "{e: string}",
	} {
		m := mustParse(t, `{"service":{"name":"shop"},"types":{"User":{"id":"number"},"Users":"User[]"},"methods":{"m":{"returns":{`+fields+`}}}}`)
		if got := m.Methods["m"].Returns.Type.String(); got != want {
			t.Errorf("%s\n got %s\nwant %s", fields, got, want)
		}
	}
}

// A schema beside a type narrows it, and both are asked.
func TestTypeAndSchema(t *testing.T) {
	m := mustParse(t, `{"service":{"name":"shop"},"methods":{
	  "o":{"returns":{"type":"object","schema":{"required":["a"]}}},
	  "n":{"returns":{"type":"integer","schema":{"minimum":3}}},
	  "a":{"returns":{"type":"array","schema":{"minItems":1}}}
	}}`)
	check(t, m.Methods["o"].CheckResult([]byte(`{"a":1}`)), "", "", "")
	check(t, m.Methods["o"].CheckResult([]byte(`{}`)), "/a", "required", "result.a is missing: expected a value")
	check(t, m.Methods["o"].CheckResult([]byte(`5`)), "", "type", "result: expected object, got number")
	check(t, m.Methods["n"].CheckResult([]byte(`2`)), "", "minimum", "result: minimum: got 2, want 3")
	check(t, m.Methods["n"].CheckResult([]byte(`3.5`)), "", "type", "result: expected integer, got 3.5")
	check(t, m.Methods["a"].CheckResult([]byte(`[]`)), "", "minItems", "result: minItems: got 0, want 1")
}

// Required is what is not said to be optional, in whichever way.
func TestRequired(t *testing.T) {
	for fields, want := range map[string]bool{
		`"type": "number"`:                                             true,
		`"type": "number", "required": true`:                           true,
		`"type": "number", "required": false`:                          false,
		`"type": "number?"`:                                            false,
		`"type": "number", "nullable": true`:                           false,
		`"type": "number?", "required": true`:                          true,
		`"type": "number", "default": 1`:                               false,
		`"type": "number", "default": 1, "required": true`:             true,
		`"type": "any"`:                                                true,
		`"type": "number", "default": 1, "validation": {"not": false}`: false,
	} {
		m := mustParse(t, `{"service":{"name":"shop"},"methods":{"m":{"parameters":[{"name":"a",`+fields+`}]}}}`)
		if got := m.Methods["m"].Parameters[0].Required; got != want {
			t.Errorf("%s: required %v", fields, got)
		}
	}
}

func TestSplitExpression(t *testing.T) {
	for s, want := range map[string][2]string{
		"string": {"string", ""}, "T[]": {"T", "["}, "T?": {"T", "?"}, "T[]?": {"T", "[?"}, "T?[]?[]": {"T", "?[?["},
		"_a1[][]": {"_a1", "[["}, "T" + strings.Repeat("[]", 15): {"T", strings.Repeat("[", 15)},
	} {
		base, suffixes, problem := splitExpression(s)
		if d := cmp.Diff(want, [2]string{base, suffixes}); d != "" || problem != "" {
			t.Errorf("%s: %s%s", s, problem, d)
		}
	}
	for _, s := range []string{"", "?", "[]", "T??", "T[", "T]", "T[1]", "T []", " T", "1T", "T?x", "a|b", "Map<T>", "T-a", "a.b", "$T", "T" + strings.Repeat("[]", 16)} {
		if _, _, problem := splitExpression(s); problem == "" {
			t.Errorf("%q was taken", s)
		}
	}
}

// A type may hold itself where a value can end, and the checker ends there too.
func TestRecursiveTypes(t *testing.T) {
	m := mustParse(t, `{"service":{"name":"shop"},
	  "types":{"A":"A[]","B":{"c":"C?"},"C":{"b":"B"},"D":"E","E":{"d":"D[]"}},
	  "methods":{"a":{"returns":{"type":"A"}},"b":{"returns":{"type":"B"}},"d":{"returns":{"type":"D"}}}}`)
	check(t, m.Methods["a"].CheckResult([]byte(`[[],[[]]]`)), "", "", "")
	check(t, m.Methods["a"].CheckResult([]byte(`[[],[[1]]]`)), "/1/0/0", "type", "result[1][0][0]: expected A[], got number")
	check(t, m.Methods["b"].CheckResult([]byte(`{"c":{"b":{"c":{"b":{}}}}}`)), "", "", "")
	check(t, m.Methods["b"].CheckResult([]byte(`{"c":{"b":{"c":{}}}}`)), "/c/b/c/b", "required", "result.c.b.c.b is missing: expected B")
	check(t, m.Methods["d"].CheckResult([]byte(`{"d":[{"d":[]}]}`)), "", "", "")
}

func TestKindString(t *testing.T) {
	for k, want := range map[Kind]string{KindAny: "any", KindArray: "array", KindNamed: "named", KindSchema: "schema", 0: "kind(0)", 99: "kind(99)"} {
		if got := k.String(); got != want {
			t.Errorf("%d is %q", k, got)
		}
	}
	if Severity(7).String() != "severity(7)" || Warning.String() != "warning" {
		t.Error("severities are misnamed")
	}
	var none *Type
	if none.String() != "any" {
		t.Error("no type is any")
	}
}
