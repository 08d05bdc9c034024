package manifest

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// resultSchema is a method whose result is declared by the JSON Schema.
func resultSchema(t testing.TB, schema string) *Method {
	t.Helper()
	m := mustParse(t, `{"service":{"name":"shop"},
	  "types":{"User":{"id":"integer","email":"string?","boss":"User?"},"Id":{"type":"integer","minimum":1}},
	  "methods":{"m":{"returns":{"schema":`+schema+`}}}}`)
	return m.Methods["m"]
}

func TestFullSchemas(t *testing.T) {
	for _, c := range []struct {
		schema, data string
		path, rule   string
		message      string
	}{
		{`{"enum":["a","b"]}`, `"b"`, "", "", ""},
		{`{"enum":["a","b"]}`, `"c"`, "", "enum", "result: value must be one of 'a', 'b'"},
		{`{"const":1}`, `1.0`, "", "", ""},
		{`{"type":["string","null"]}`, `null`, "", "", ""},
		{`{"type":["string","null"]}`, `1`, "", "type", "result: expected null or string, got number"},
		{`{"properties":{"a":{"type":"number"}}}`, `{"a":"x"}`, "/a", "type", "result.a: expected number, got string"},
		{`{"required":["b","a"]}`, `{}`, "/a", "required", "result.a is missing: expected a value"},
		{`{"items":{"required":["x y"]}}`, `[{"x y":1},{}]`, "/1/x y", "required", `result[1]["x y"] is missing: expected a value`},
		{`{"properties":{"1":{"type":"null"}}}`, `{"1":2}`, "/1", "type", `result["1"]: expected null, got number`},
		{`{"additionalProperties":false}`, `{"b":1}`, "", "additionalProperties", "result: additional properties 'b' not allowed"},
		{`{"anyOf":[{"type":"string"},{"minimum":5,"type":"number"}]}`, `4`, "", "minimum", "result: minimum: got 4, want 5"},
		{`{"anyOf":[{"maximum":1},{"minimum":5}]}`, `4`, "", "anyOf", "result: fits none of the alternatives under anyOf"},
		{`{"anyOf":[{"type":"string"},{"type":"null"}]}`, `4`, "", "anyOf", "result: fits none of the alternatives under anyOf"},
		{`{"oneOf":[{"type":"number"},{"type":"integer"}]}`, `4`, "", "oneOf", "result: fits more than one of the alternatives under oneOf"},
		{`{"oneOf":[{"type":"string"}]}`, `4`, "", "oneOf", "result: fits none of the alternatives under oneOf"},
		{`{"not":{"type":"string"}}`, `"x"`, "", "not", "result: fits what stands under not"},
		{`{"properties":{"a":false}}`, `{"a":1}`, "/a", "schema", "result.a: is not allowed"},
		{`{"allOf":[{"$ref":"#/$defs/p"}],"$defs":{"p":{"minLength":3}}}`, `"ab"`, "", "minLength", "result: minLength: got 2, want 3"},
		{`{"type":"string","format":"email"}`, `"a@b.example"`, "", "", ""},
		{`{"type":"string","format":"email"}`, `"nobody"`, "", "format", "result: 'nobody' is not valid email: missing @"},
		{`{"$ref":"#/types/User"}`, `{"id":1,"boss":{"id":2,"boss":null}}`, "", "", ""},
		{`{"$ref":"#/types/User"}`, `{"id":1,"boss":{"id":"2"}}`, "/boss/id", "type", "result.boss.id: expected integer, got string"},
		{`{"items":{"$ref":"#/types/Id"}}`, `[1,0]`, "/1", "minimum", "result[1]: minimum: got 0, want 1"},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","items":[{"type":"string"}],"additionalItems":false}`, `["a","b"]`, "", "additionalItems", "result: last 1 additionalItem(s) not allowed"},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"u":{"$ref":"#/types/User"}}}`, `{"u":{}}`, "/u/id", "required", "result.u.id is missing: expected a value"},
		{`{"type":"object","properties":{"kids":{"items":{"$ref":"#"}}}}`, `{"kids":[{"kids":[3]}]}`, "/kids/0/kids/0", "type", "result.kids[0].kids[0]: expected object, got number"},
		{`{"a":"integer","b":{"type":"integer","maximum":9}}`, `{"a":1,"b":10}`, "/b", "maximum", "result.b: maximum: got 10, want 9"},
		{`{"const":1}`, `1e-999999999`, "", "range", "result: holds a number that is out of all proportion"},
		{`{"const":1}`, ``, "", "required", "result is missing: expected any"},
	} {
		t.Run(c.schema+" "+c.data, func(t *testing.T) {
			check(t, resultSchema(t, c.schema).CheckResult([]byte(c.data)), c.path, c.rule, c.message)
		})
	}
}

// With several faults the same one is reported each time, though the library
// walks over maps.
func TestSchemaViolationsAreStable(t *testing.T) {
	mt := resultSchema(t, `{"properties":{"a":{"type":"string"},"b":{"type":"string"},"c":{"type":"string"}},"required":["z","y"]}`)
	for range 50 {
		check(t, mt.CheckResult([]byte(`{"c":1,"b":1,"a":1}`)), "/y", "required", "result.y is missing: expected a value")
	}
}

// What a peer sent does not fill our error messages.
func TestSchemaViolationsAreShort(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct{ schema, data string }{
		{`{"type":"string","pattern":"^a$"}`, `"` + long + `"`},
		{`{"additionalProperties":false}`, `{"` + long + `":1}`},
		{`{"additionalProperties":{"type":"string"}}`, `{"` + long + `":1}`},
		{`{"type":"string","format":"email"}`, `"` + long + `"`},
	} {
		err := resultSchema(t, c.schema).CheckResult([]byte(c.data))
		v, ok := err.(*Violation)
		if !ok || len(v.Message)+len(v.Path)+len(v.Expected)+len(v.Got) > 600 {
			t.Errorf("%s: %.100v", c.schema, err)
		}
	}
	m := mustParse(t, calls)
	err := m.Methods["two"].CheckArguments([]byte(`{"` + long + `":1}`))
	if v, ok := err.(*Violation); !ok || len(v.Message)+len(v.Path) > 600 {
		t.Errorf("%.100v", err)
	}
	err = m.Methods["one"].CheckArguments([]byte(strings.Repeat("9", 1000)))
	if v, ok := err.(*Violation); !ok || len(v.Message)+len(v.Path)+len(v.Got) > 600 {
		t.Errorf("%.100v", err)
	}
}

// A full schema that refers to a type in the short spelling asks exactly what
// the type itself asks.
func TestTypesInSchemasMeanTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawSketch(&choices{rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "shape")}, 0)
		m, err := Parse([]byte(`{"service":{"name":"shop"},"types":{"T":` + s.spelling() + `},"methods":{
		  "direct":{"returns":{"schema":"T"}},"ref":{"returns":{"schema":{"$ref":"#/types/T"}}}}}`))
		if err != nil {
			rt.Fatal(err)
		}
		data := s.draw(&choices{rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "value")})
		// JSON Schema has no opinion on numbers that no double can hold.
		data = strings.ReplaceAll(data, "1e400", "1e40")
		direct := m.Methods["direct"].CheckResult([]byte(data))
		ref := m.Methods["ref"].CheckResult([]byte(data))
		if (direct == nil) != (ref == nil) {
			rt.Fatalf("%s\n%s\ndirect: %v\n   ref: %v", s.spelling(), data, direct, ref)
		}
	})
}

// A long chain of optional things is as quickly found wrong as right.
func TestNestedAlternatives(t *testing.T) {
	mt := resultSchema(t, `{"$ref":"#/types/User"}`)
	const deep = 60
	data := strings.Repeat(`{"id":1,"boss":`, deep) + `{"id":"x"}` + strings.Repeat("}", deep)
	check(t, mt.CheckResult([]byte(data)), strings.Repeat("/boss", deep)+"/id", "type",
		"result"+strings.Repeat(".boss", deep)+".id: expected integer, got string")
}

// Nothing outside of the manifest is ever read for it.
func TestSchemasLoadNothing(t *testing.T) {
	for _, ref := range []string{"file:///etc/passwd", "http://127.0.0.1:1/x", "https://example.com/schema.json", "other.json", "ekko:///schema/99", "../../x", "%zz"} {
		problems := Lint([]byte(`{"service":{"name":"shop"},"types":{"T":{"$ref":"` + ref + `"}}}`))
		if len(problems) != 1 || problems[0].Severity != Error || problems[0].Rule != "schema" {
			t.Errorf("%s: %v", ref, problems)
		}
	}
}

func TestTooMuchSchema(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"service":{"name":"shop"},"types":{"T":{"anyOf":[true`)
	b.WriteString(strings.Repeat(`,{}`, maxKeywords))
	b.WriteString(`]}, "U": {"enum":[1]}}}`)
	problems := Lint([]byte(b.String()))
	if len(problems) != 1 || problems[0].Rule != "too-large" {
		t.Errorf("%v", problems)
	}
}
