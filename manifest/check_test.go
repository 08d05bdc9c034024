package manifest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shapes is a manifest with a method for each type under test, which is the
// type of its result.
func resultOf(t testing.TB, typ string) *Method {
	t.Helper()
	quoted := typ
	if !strings.HasPrefix(typ, "{") {
		quoted = `"` + typ + `"`
	}
	m := mustParse(t, `{
	  "service": {"name": "shop"},
	  "types": {
	    "User": {"id": "number", "name": "string", "email": "string?"},
	    "Node": {"value": "integer", "next": "Node?", "children": "Node[]?"},
	    "Users": "User[]",
	    "Even": {"type": "integer", "multipleOf": 2}
	  },
	  "methods": {"m": {"returns": {"schema": `+quoted+`}}}
	}`)
	return m.Methods["m"]
}

func TestCheckResult(t *testing.T) {
	for _, c := range []struct {
		typ, data string
		path      string
		rule      string // empty: it fits
		message   string
	}{
		{"any", `{"a":[1,{"b":null}]}`, "", "", ""},
		{"any", `null`, "", "", ""},
		{"string", `"a\"b\\"`, "", "", ""},
		{"string", `1`, "", "type", "result: expected string, got number"},
		{"string", `null`, "", "type", "result: expected string, got null"},
		{"string?", `null`, "", "", ""},
		{"string?", `1`, "", "type", "result: expected string or null, got number"},
		{"number", `-1.5e3`, "", "", ""},
		{"number", `1e400`, "", "range", "result: expected a number that a double can hold, got 1e400"},
		{"number", `"1"`, "", "type", "result: expected number, got string"},
		{"integer", `-0`, "", "", ""},
		{"integer", `1.0`, "", "", ""},
		{"integer", `1.5`, "", "type", "result: expected integer, got 1.5"},
		{"integer", `9007199254740992`, "", "range", "result: expected integer within ±(2^53-1), got 9007199254740992"},
		{"integer", `true`, "", "type", "result: expected integer, got boolean"},
		{"boolean", `false`, "", "", ""},
		{"boolean", `0`, "", "type", "result: expected boolean, got number"},
		{"null", `null`, "", "", ""},
		{"null", `0`, "", "type", "result: expected null, got number"},
		{"object", `{}`, "", "", ""},
		{"object", `[]`, "", "type", "result: expected object, got array"},
		{"array", `[1,"a",{}]`, "", "", ""},
		{"array", `{}`, "", "type", "result: expected array, got object"},
		{"string[]", `[]`, "", "", ""},
		{"string[]", `[ "a" , "b" ]`, "", "", ""},
		{"string[]", `["a",1]`, "/1", "type", "result[1]: expected string, got number"},
		{"string[]", `"a"`, "", "type", "result: expected string[], got string"},
		{"string[]", `["a",null]`, "/1", "type", "result[1]: expected string, got null"},
		{"string?[]", `["a",null]`, "", "", ""},
		{"string[]?", `null`, "", "", ""},
		{"string[][]", `[["a"],[2]]`, "/1/0", "type", "result[1][0]: expected string, got number"},
		{"User", `{"id":1,"name":"a"}`, "", "", ""},
		{"User", `{ "name" : "a" , "id" : 1 , "more" : { "x" : [ 1 ] } }`, "", "", ""},
		{"User", `{"id":1,"name":"a","email":null}`, "", "", ""},
		{"User", `{"id":1,"name":"a","email":5}`, "/email", "type", "result.email: expected string, got number"},
		{"User", `{"id":null,"name":"a"}`, "/id", "type", "result.id: expected number, got null"},
		{"User", `{"id":1}`, "/name", "required", "result.name is missing: expected string"},
		{"User", `{}`, "/id", "required", "result.id is missing: expected number"},
		{"User", `{"\u0069d":1,"nam\u0065":"a"}`, "", "", ""},
		{"User", `{"\u0069d":"1","name":"a"}`, "/id", "type", "result.id: expected number, got string"},
		{"User", `{"ID":1,"Id":1,"name":"a"}`, "/id", "required", "result.id is missing: expected number"},
		{"User", `[]`, "", "type", "result: expected object, got array"},
		{"User?", `5`, "", "type", "result: expected User or null, got number"},
		{"User[]", `[{"id":1,"name":"a"},{"id":1,"name":2}]`, "/1/name", "type", "result[1].name: expected string, got number"},
		{"User[]", `[{"id":1,"name":"a","email":2}]`, "/0/email", "type", "result[0].email: expected string, got number"},
		{"User[]", `{}`, "", "type", "result: expected User[], got object"},
		{"Users", `[{"id":1,"name":"a"}]`, "", "", ""},
		{"Users", `[{"id":1}]`, "/0/name", "required", "result[0].name is missing: expected string"},
		{"Node", `{"value":1,"next":{"value":2,"next":null},"children":[{"value":3}]}`, "", "", ""},
		{"Node", `{"value":1,"next":{"value":2,"children":[{"value":"3"}]}}`, "/next/children/0/value", "type", "result.next.children[0].value: expected integer, got string"},
		{"Even", `4`, "", "", ""},
		{"Even", `5`, "", "multipleOf", "result: multipleOf: got 5, want 2"},
		{"Even", `"5"`, "", "type", "result: expected integer, got string"},
		{"Even[]", `[2,4,7]`, "/2", "multipleOf", "result[2]: multipleOf: got 7, want 2"},
		{"Even", `1e999999`, "", "range", "result: holds a number that is out of all proportion"},
		{`{"a/b":"number","c~d":"number","e f":"number?"}`, `{"a/b":1,"c~d":"x"}`, "/c~0d", "type", `result["c~d"]: expected number, got string`},
		{`{"a/b":"number","c~d":"number","e f":"number?"}`, `{"c~d":1}`, "/a~1b", "required", `result["a/b"] is missing: expected number`},
		{`{"a":{"b":{"c":"boolean"}}}`, `{"a":{"b":{"c":1}}}`, "/a/b/c", "type", "result.a.b.c: expected boolean, got number"},
		{"string", ``, "", "required", "result is missing: expected string"},
		{"string?", ``, "", "", ""},
		{"any", ``, "", "", ""},
		{"null", ` `, "", "", ""},
	} {
		t.Run(c.typ+" "+c.data, func(t *testing.T) {
			check(t, resultOf(t, c.typ).CheckResult([]byte(c.data)), c.path, c.rule, c.message)
		})
	}
}

// check compares a violation with what it should be; no rule stands for none.
func check(t *testing.T, err error, path, rule, message string) {
	t.Helper()
	if rule == "" {
		if err != nil {
			t.Errorf("unexpected violation %v", err)
		}
		return
	}
	var v *Violation
	if !errors.As(err, &v) {
		t.Fatalf("got %v, want the violation %q", err, message)
	}
	got := []string{v.Path, v.Rule, v.Message}
	if d := cmp.Diff([]string{path, rule, message}, got); d != "" {
		t.Errorf("violation (-want +got):\n%s", d)
	}
}

// A violation says in fields what it says in words.
func TestViolationFields(t *testing.T) {
	err := resultOf(t, "User[]").CheckResult([]byte(`[{"id":"x","name":""}]`))
	want := &Violation{Path: "/0/id", Rule: "type", Expected: "number", Got: "string", Message: "result[0].id: expected number, got string"}
	if d := cmp.Diff(error(want), err); d != "" {
		t.Errorf("violation (-want +got):\n%s", d)
	}
}

func TestNullableResult(t *testing.T) {
	m := mustParse(t, `{"service":{"name":"shop"},"methods":{
	  "a":{"returns":{"type":"object","schema":{"id":"number"},"nullable":true}},
	  "b":{"returns":{"type":"object","schema":{"id":"number"}}},
	  "c":{"returns":{"schema":{"type":["object","null"]}}},
	  "d":{}
	}}`)
	for _, c := range []struct {
		method, data string
		ok           bool
	}{
		{"a", "null", true}, {"a", "", true}, {"a", `{"id":1}`, true}, {"a", `{}`, false},
		{"b", "null", false}, {"b", "", false},
		{"c", "null", true}, {"c", "", true}, {"c", "1", false},
		{"d", "null", true}, {"d", "", true}, {"d", "1", true},
	} {
		if err := m.Methods[c.method].CheckResult([]byte(c.data)); (err == nil) != c.ok {
			t.Errorf("%s with %q: %v", c.method, c.data, err)
		}
	}
}

func TestCheckEvent(t *testing.T) {
	m := mustParse(t, string(readTestdata(t, "database-service.ekko.ipc.json")))
	e := m.EventByName("user.created")
	check(t, e.Check([]byte(`{"id":1,"name":"Ada","timestamp":"now","extra":1}`)), "", "", "")
	check(t, e.Check([]byte(`{"id":"1","name":"Ada","timestamp":"now"}`)), "/id", "type", "event user.created.id: expected number, got string")
	check(t, e.Check([]byte(`5`)), "", "type", "event user.created: expected object, got number")
	check(t, e.Check(nil), "", "required", "event user.created is missing: expected object")
}

// An object with more members than a word has bits is checked no less.
func TestManyFields(t *testing.T) {
	for _, n := range []int{12, 13, 64, 65, 130, 1000} {
		var shape, good, reversed []string
		for i := range n {
			shape = append(shape, fmt.Sprintf(`"f%d":"number"`, i))
			good = append(good, fmt.Sprintf(`"f%d":%d`, i, i))
			reversed = append([]string{good[i]}, reversed...)
		}
		mt := resultOf(t, "{"+strings.Join(shape, ",")+"}")
		object := func(members []string) []byte { return []byte("{" + strings.Join(members, ",") + "}") }
		check(t, mt.CheckResult(object(good)), "", "", "")
		check(t, mt.CheckResult(object(reversed)), "", "", "")
		for _, gone := range []int{0, n / 2, n - 1} {
			without := append(append([]string{}, good[:gone]...), good[gone+1:]...)
			check(t, mt.CheckResult(object(without)), fmt.Sprintf("/f%d", gone), "required",
				fmt.Sprintf("result.f%d is missing: expected number", gone))
			wrong := append([]string{}, good...)
			wrong[gone] = fmt.Sprintf(`"f%d":true`, gone)
			check(t, mt.CheckResult(object(wrong)), fmt.Sprintf("/f%d", gone), "type",
				fmt.Sprintf("result.f%d: expected number, got boolean", gone))
		}
	}
}

func TestNesting(t *testing.T) {
	mt := resultOf(t, "Node")
	nested := func(n int) []byte {
		return []byte(strings.Repeat(`{"value":1,"next":`, n) + "null" + strings.Repeat("}", n))
	}
	check(t, mt.CheckResult(nested(maxNesting)), "", "", "")
	err := mt.CheckResult(nested(maxNesting + 1))
	var v *Violation
	if !errors.As(err, &v) || v.Rule != "depth" {
		t.Errorf("got %v", err)
	}
	// What is not followed may be as deep as it likes.
	deep := []byte(strings.Repeat("[", 1e6) + strings.Repeat("]", 1e6))
	check(t, resultOf(t, "any").CheckResult(deep), "", "", "")
	check(t, resultOf(t, "array").CheckResult(deep), "", "", "")
}

// The checker is only for text that is known to be JSON. Other text must get it
// neither out of bounds nor into a loop.
func TestBrokenTextIsSurvived(t *testing.T) {
	types := []string{"any", "string", "number", "integer", "boolean", "null", "object", "array", "string[]", "User", "Users", "Node", "Even"}
	good := `{"id":1,"name":"a\"b","email":"x","value":-1.5e3,"next":{"value":[true,null]},"children":[]}`
	for _, typ := range types {
		mt := resultOf(t, typ)
		for _, text := range []string{good, "[" + good + "," + good + "]", `"abc\\"`, "-", "nul", `{"id" 1}`, "{,}", "[,]", "]", "}", ":", `{"a":`, "1 2"} {
			for cut := range len(text) + 1 {
				mt.CheckResult([]byte(text[:cut]))
				mt.CheckResult([]byte(text[cut:]))
			}
		}
	}
}
