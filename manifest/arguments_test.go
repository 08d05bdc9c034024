package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// calls declares one method for each way of taking arguments.
const calls = `{
  "service": {"name": "shop"},
  "types": {"User": {"id": "number", "email": "string?"}},
  "methods": {
    "none":     {"parameters": []},
    "free":     {},
    "one":      {"parameters": [{"name": "id", "type": "number"}]},
    "object":   {"parameters": [{"name": "user", "type": "User"}]},
    "list":     {"parameters": [{"name": "ids", "type": "number[]"}]},
    "optional": {"parameters": [{"name": "id", "type": "number", "required": false}]},
    "two":      {"parameters": [{"name": "a", "type": "number"}, {"name": "b", "type": "string"}]},
    "three":    {"parameters": [{"name": "first", "type": "string"}, {"name": "limit", "type": "integer", "default": 10}, {"name": "filter", "type": "object", "required": false}]},
    "nullable": {"parameters": [{"name": "a", "type": "string?"}, {"name": "b", "type": "string?", "default": "x"}]},
    "mustnull": {"parameters": [{"name": "a", "type": "string?", "required": true}]},
    "narrow":   {"parameters": [{"name": "n", "type": "integer", "validation": {"minimum": 1}}, {"name": "s", "type": "string?", "validation": {"minLength": 2}}]}
  }
}`

func TestCheckArguments(t *testing.T) {
	m := mustParse(t, calls)
	for _, c := range []struct {
		method, data string
		path         string
		rule         string // empty: they fit
		message      string
	}{
		{"none", ``, "", "", ""},
		{"none", `[]`, "", "", ""},
		{"none", ` [ ] `, "", "", ""},
		{"none", `{}`, "", "", ""},
		{"none", `null`, "", "", ""},
		{"none", `1`, "", "arguments", "too many arguments: expected no arguments, got 1"},
		{"none", `[1,2]`, "", "arguments", "too many arguments: expected no arguments, got 2"},
		{"none", `{"a":1}`, "/a", "unknown", `unknown argument "a": the method takes none`},

		{"free", ``, "", "", ""},
		{"free", `[1,"a",{}]`, "", "", ""},
		{"free", `{"a":1}`, "", "", ""},

		{"one", `[123]`, "", "", ""},
		{"one", ` [ 123 ] `, "", "", ""},
		{"one", `123`, "", "", ""},
		{"one", `"123"`, "/id", "type", "parameter id: expected number, got string"},
		{"one", `["123"]`, "/id", "type", "parameter id: expected number, got string"},
		{"one", `null`, "/id", "type", "parameter id: expected number, got null"},
		{"one", `{"id":1}`, "/id", "type", "parameter id: expected number, got object"},
		{"one", ``, "/id", "required", "parameter id is missing: expected number"},
		{"one", `[]`, "/id", "required", "parameter id is missing: expected number"},
		{"one", `[1,2]`, "", "arguments", "too many arguments: expected at most 1 argument, got 2"},
		{"one", `[1,2,[3,"]"],4]`, "", "arguments", "too many arguments: expected at most 1 argument, got 4"},

		{"object", `{"id":1}`, "", "", ""},
		{"object", `[{"id":1,"email":null}]`, "", "", ""},
		{"object", `{"user":{"id":1}}`, "/user/id", "required", "parameter user.id is missing: expected number"},
		{"object", `[{"id":1,"email":2}]`, "/user/email", "type", "parameter user.email: expected string, got number"},
		{"object", `5`, "/user", "type", "parameter user: expected object, got number"},

		{"list", `[[1,2,3]]`, "", "", ""},
		{"list", `[[]]`, "", "", ""},
		{"list", `[[1,"2"]]`, "/ids/1", "type", "parameter ids[1]: expected number, got string"},
		{"list", `[1]`, "/ids", "type", "parameter ids: expected number[], got number"},
		{"list", `[[1],2,3]`, "", "arguments", "too many arguments: expected at most 1 argument, got 3: an array is the list of arguments, so an array as the argument is sent as [[…]]"},

		{"optional", ``, "", "", ""},
		{"optional", `null`, "", "", ""},
		{"optional", `[null]`, "", "", ""},
		{"optional", `[true]`, "/id", "type", "parameter id: expected number, got boolean"},

		{"two", `[1,"x"]`, "", "", ""},
		{"two", `{"a":1,"b":"x"}`, "", "", ""},
		{"two", `{"b":"x","a":1}`, "", "", ""},
		{"two", `{"\u0061":1,"b":"x"}`, "", "", ""},
		{"two", `{"b":"x"}`, "/a", "required", "parameter a is missing: expected number"},
		{"two", `{"a":1,"b":2}`, "/b", "type", "parameter b: expected string, got number"},
		{"two", `[1]`, "/b", "required", "parameter b is missing: expected string"},
		{"two", `1`, "/b", "required", "parameter b is missing: expected string"},
		{"two", `{"A":1,"b":"x"}`, "/A", "unknown", `unknown argument "A": did you mean "a"?`},
		{"two", `[1,"x",null]`, "", "arguments", "too many arguments: expected at most 2 arguments, got 3"},

		{"three", `["x"]`, "", "", ""},
		{"three", `"x"`, "", "", ""},
		{"three", `["x",null,{"a":1}]`, "", "", ""},
		{"three", `{"first":"x","filter":{}}`, "", "", ""},
		{"three", `{"first":"x","fitler":{}}`, "/fitler", "unknown", `unknown argument "fitler": did you mean "filter"?`},
		{"three", `{"first":"x","other":{}}`, "/other", "unknown", `unknown argument "other"`},
		{"three", `{"first":"x","limit":1.5}`, "/limit", "type", "parameter limit: expected integer, got 1.5"},
		{"three", `{}`, "/first", "required", "parameter first is missing: expected string"},

		{"nullable", ``, "", "", ""},
		{"nullable", `[null,null]`, "", "", ""},
		{"nullable", `[1]`, "/a", "type", "parameter a: expected string or null, got number"},
		{"mustnull", `[null]`, "", "", ""},
		{"mustnull", `[]`, "/a", "required", "parameter a is missing: expected string or null"},

		{"narrow", `[1]`, "", "", ""},
		{"narrow", `[1,null]`, "", "", ""},
		{"narrow", `[0]`, "/n", "minimum", "parameter n: minimum: got 0, want 1"},
		{"narrow", `[1,"x"]`, "/s", "minLength", "parameter s: minLength: got 1, want 2"},
		{"narrow", `["1"]`, "/n", "type", "parameter n: expected integer, got string"},

		{"one", `[1`, "", "json", "malformed JSON"},
		{"one", `[1] 2`, "", "json", "malformed JSON"},
		{"two", `{"a":1`, "", "json", "malformed JSON"},
	} {
		t.Run(c.method+" "+c.data, func(t *testing.T) {
			mt := m.Methods[c.method]
			check(t, mt.CheckArguments([]byte(c.data)), c.path, c.rule, c.message)
			// What is accepted has a form, too.
			if _, err := mt.Arguments([]byte(c.data)); c.rule == "" && err != nil {
				t.Errorf("Arguments refuses what CheckArguments takes: %v", err)
			}
			checkBind(t, mt, []byte(c.data))
		})
	}
}

// checkBind: Bind says what CheckArguments says, and then what Arguments does.
func checkBind(t *testing.T, mt *Method, data []byte) {
	t.Helper()
	want, err := mt.Arguments(data)
	if wrong := mt.CheckArguments(data); wrong != nil {
		want, err = nil, wrong
	}
	for _, dst := range [][][]byte{nil, {[]byte("before")}, make([][]byte, 1, 100)} {
		got, bindErr := mt.Bind(data, dst)
		if d := cmp.Diff(err, bindErr); d != "" {
			t.Fatalf("Bind says (-CheckArguments +Bind):\n%s\n%s", d, data)
		}
		if err != nil {
			if got != nil {
				t.Fatalf("Bind gives %q with its error", got)
			}
			continue
		}
		if d := cmp.Diff(append([][]byte{}, dst...), append([][]byte{}, got[:len(dst)]...)); d != "" {
			t.Fatalf("Bind changed what was there: %s", d)
		}
		if got = got[len(dst):]; len(got) != len(want) {
			t.Fatalf("Bind gives %q, Arguments %q", got, want)
		}
		for k := range got {
			if string(got[k]) != string(want[k]) || cap(got[k]) != cap(want[k]) {
				t.Fatalf("Bind gives %q as argument %d, Arguments %q", got[k], k, want[k])
			}
		}
	}
}

// What a slice held before is no argument.
func TestBindForgets(t *testing.T) {
	three := mustParse(t, calls).Methods["three"]
	dst := [][]byte{[]byte("1"), []byte("2"), []byte("3"), []byte("4")}
	got, err := three.Bind([]byte(`["x"]`), dst[:1])
	if want := [][]byte{[]byte("1"), []byte(`"x"`), []byte("10")}; err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestArguments(t *testing.T) {
	m := mustParse(t, calls)
	for _, c := range []struct {
		method, data string
		want         []string
		err          string
	}{
		{"none", ``, nil, ""},
		{"none", `null`, nil, ""},
		{"free", `[1, [2], "x"]`, []string{"1", "[2]", `"x"`}, ""},
		{"free", `{"a":1}`, []string{`{"a":1}`}, ""},
		{"free", ``, nil, ""},
		{"free", `[1`, nil, "malformed JSON"},
		{"one", `[ 123 ]`, []string{"123"}, ""},
		{"one", `123`, []string{"123"}, ""},
		{"one", `"not looked at"`, []string{`"not looked at"`}, ""},
		{"one", ``, nil, "parameter id is missing: expected number"},
		{"one", `[1,2]`, nil, "too many arguments: expected at most 1 argument, got 2"},
		{"object", `{"id":1}`, []string{`{"id":1}`}, ""},
		{"list", `[[1,2]]`, []string{"[1,2]"}, ""},
		{"optional", `null`, nil, ""},
		{"two", `{"b":"x","a":1}`, []string{"1", `"x"`}, ""},
		{"three", `["x"]`, []string{`"x"`, "10"}, ""},
		{"three", `["x",null]`, []string{`"x"`, "10"}, ""},
		{"three", `["x",5]`, []string{`"x"`, "5"}, ""},
		{"three", `{"filter":{},"first":"x"}`, []string{`"x"`, "10", "{}"}, ""},
		{"nullable", ``, []string{"null", `"x"`}, ""},
		{"nullable", `[null,null]`, []string{"null", "null"}, ""},
		{"nullable", `["a"]`, []string{`"a"`, `"x"`}, ""},
		{"narrow", `[0]`, []string{"0"}, ""},
	} {
		t.Run(c.method+" "+c.data, func(t *testing.T) {
			mt := m.Methods[c.method]
			args, err := mt.Arguments([]byte(c.data))
			checkBind(t, mt, []byte(c.data))
			var got []string
			for _, a := range args {
				got = append(got, string(a))
			}
			message := ""
			if err != nil {
				message = err.Error()
			}
			if d := cmp.Diff(c.want, got); d != "" || message != c.err {
				t.Errorf("error %q; arguments (-want +got):\n%s", message, d)
			}
		})
	}
}

// An argument may be appended to without touching its neighbour.
func TestArgumentsAreClipped(t *testing.T) {
	m := mustParse(t, calls)
	data := []byte(`[1,"x"]`)
	args, err := m.Methods["two"].Arguments(data)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(args[0], "999"...)
	if string(data) != `[1,"x"]` {
		t.Errorf("the data is now %s", data)
	}
}
