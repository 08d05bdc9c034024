package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// The oracle judges decoded values the slow and obvious way. It shares no code
// with the checker, not even the notion of a type.

// sketch is a type as the oracle knows it.
type sketch struct {
	kind     string // a built-in type, or "list" or "shape"
	nullable bool
	elem     *sketch
	names    []string
	members  []*sketch
}

// choices draws decisions from a fuzzer's bytes, zeros when they are used up.
type choices struct{ b []byte }

func (c *choices) n(n int) int {
	if len(c.b) == 0 {
		return 0
	}
	v := int(c.b[0]) % n
	c.b = c.b[1:]
	return v
}

var fieldNames = []string{"id", "name", "a/b", "c~d", "ü", "with space", "q\"uote"}

// drawSketch makes a type out of choices.
func drawSketch(c *choices, depth int) *sketch {
	kinds := []string{"any", "string", "number", "integer", "boolean", "null", "object", "array", "list", "shape"}
	if depth > 3 {
		kinds = kinds[:8]
	}
	s := &sketch{kind: kinds[c.n(len(kinds))], nullable: c.n(3) == 1}
	switch s.kind {
	case "list":
		s.elem = drawSketch(c, depth+1)
		if s.elem.kind == "shape" {
			s.elem = &sketch{kind: "string"} // has no spelling within an expression
		}
	case "shape":
		s.nullable = false // likewise
		for i := range c.n(len(fieldNames) + 1) {
			s.names = append(s.names, fieldNames[i])
			s.members = append(s.members, drawSketch(c, depth+1))
		}
	}
	return s
}

// spelling is the type as a manifest spells it.
func (s *sketch) spelling() string {
	if s.kind != "shape" {
		return quoteJSON(s.expression())
	}
	var parts []string
	for i, m := range s.members {
		parts = append(parts, quoteJSON(s.names[i])+":"+m.spelling())
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (s *sketch) expression() string {
	out := s.kind
	if s.kind == "list" {
		out = s.elem.expression() + "[]"
	}
	if s.nullable {
		out += "?"
	}
	return out
}

func quoteJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// fits is the oracle's verdict on a decoded value.
func (s *sketch) fits(v any) bool {
	if v == nil && s.nullable {
		return true
	}
	switch s.kind {
	case "any":
		return true
	case "null":
		return v == nil
	case "string":
		_, ok := v.(string)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "number":
		n, ok := v.(json.Number)
		return ok && finite(n)
	case "integer":
		n, ok := v.(json.Number)
		return ok && safeInteger(n)
	case "object":
		_, ok := v.(map[string]any)
		return ok
	case "array":
		_, ok := v.([]any)
		return ok
	case "list":
		list, ok := v.([]any)
		for _, e := range list {
			ok = ok && s.elem.fits(e)
		}
		return ok
	case "shape":
		object, ok := v.(map[string]any)
		for i, m := range s.members {
			member, there := object[s.names[i]]
			ok = ok && (there && m.fits(member) || !there && m.nullable)
		}
		return ok
	}
	panic(s.kind)
}

func finite(n json.Number) bool {
	_, err := strconv.ParseFloat(string(n), 64)
	return err == nil
}

func safeInteger(n json.Number) bool {
	// What is not finite is too great, and keeps the rational from bursting.
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return false
	}
	if f == 0 {
		// Either zero, or too small for a double and then not whole.
		return strings.Trim(strings.FieldsFunc(string(n), func(r rune) bool { return r|0x20 == 'e' })[0], "-0.") == ""
	}
	r, ok := new(big.Rat).SetString(string(n))
	return ok && r.IsInt() && r.Abs(r).Cmp(big.NewRat(1<<53-1, 1)) <= 0
}

// draw makes a value that mostly fits out of choices.
func (s *sketch) draw(c *choices) string {
	junk := []string{`null`, `true`, `0`, `"x"`, `[]`, `{}`, `1.5`, `1e400`, `9007199254740992`, `[null]`, `{"id":1}`, `-1e3`, `1.0`, "[ 1 ,\n{ } ]"}
	if c.n(6) == 1 {
		return junk[c.n(len(junk))]
	}
	if s.nullable && c.n(3) == 1 {
		return "null"
	}
	switch s.kind {
	case "string":
		return []string{`""`, `"a\"b"`, `"\\"`, `"\u00fc{["`}[c.n(4)]
	case "number":
		return []string{"1", "-1.5e3", "1e400", "0.1"}[c.n(4)]
	case "integer":
		return []string{"1", "-9007199254740991", "9007199254740992", "1e3", "1.5"}[c.n(5)]
	case "boolean":
		return []string{"true", "false"}[c.n(2)]
	case "null":
		return "null"
	case "object":
		return []string{"{}", `{"a":{"b":[1]}}`}[c.n(2)]
	case "array":
		return []string{"[]", `[{"a":"]"},[2]]`}[c.n(2)]
	case "list":
		var parts []string
		for range c.n(4) {
			parts = append(parts, s.elem.draw(c))
		}
		return "[" + strings.Join(parts, []string{",", " , "}[c.n(2)]) + "]"
	case "shape":
		return s.drawObject(c)
	}
	return junk[c.n(len(junk))]
}

func (s *sketch) drawObject(c *choices) string {
	var parts []string
	for i, m := range s.members {
		if c.n(6) == 1 {
			continue // left out
		}
		name := quoteJSON(s.names[i])
		if c.n(5) == 1 {
			name = fmt.Sprintf(`"\u%04x%s`, s.names[i][0], name[2:])
			if s.names[i][0] >= 0x80 {
				name = quoteJSON(s.names[i])
			}
		}
		parts = append(parts, name+[]string{":", " : "}[c.n(2)]+m.draw(c))
	}
	if c.n(3) == 1 {
		parts = append(parts, `"other":[{}]`)
	}
	if len(parts) > 1 && c.n(3) == 1 {
		parts[0], parts[len(parts)-1] = parts[len(parts)-1], parts[0]
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// call is a method as the oracle knows it.
type call struct {
	names    []string
	types    []*sketch
	required []bool
}

func drawCall(c *choices) *call {
	out := &call{}
	optional := false
	for i := range c.n(5) {
		optional = optional || c.n(3) == 1
		out.names = append(out.names, string(rune('a'+i)))
		out.types = append(out.types, drawSketch(c, 1))
		out.required = append(out.required, !optional)
	}
	return out
}

func (k *call) manifest() string {
	var parts []string
	for i, t := range k.types {
		parts = append(parts, fmt.Sprintf(`{"name":%q,"type":%s,"required":%v}`, k.names[i], t.spelling(), k.required[i]))
	}
	return `{"service":{"name":"shop"},"methods":{"m":{"parameters":[` + strings.Join(parts, ",") + `]}}}`
}

// drawData makes request data in one of the forms.
func (k *call) drawData(c *choices) string {
	form := c.n(8)
	if form == 0 {
		return ""
	}
	if form == 1 && len(k.types) > 0 {
		return k.types[0].draw(c)
	}
	var values, named []string
	for i, t := range k.types {
		v := t.draw(c)
		if c.n(8) == 1 {
			v = "null"
		}
		values = append(values, v)
		if c.n(6) != 1 {
			named = append(named, quoteJSON(k.names[i])+":"+v)
		}
	}
	if form <= 4 {
		switch c.n(8) {
		case 1:
			values = append(values, "1")
		case 2:
			values = values[:len(values)/2]
		}
		return "[" + strings.Join(values, ",") + "]"
	}
	if c.n(8) == 1 {
		named = append(named, `"zz":1`)
	}
	return "{" + strings.Join(named, ",") + "}"
}

// fits is the oracle's verdict on request data: the rules of the protocol, one
// by one.
func (k *call) fits(data []byte) bool {
	var args []any
	if len(bytes.TrimSpace(data)) > 0 {
		v := decode(data)
		switch v := v.(type) {
		case []any:
			args = v
		case map[string]any:
			if len(k.types) == 1 {
				args = []any{v}
				break
			}
			return k.fitsNamed(v)
		default:
			if v == nil && len(k.types) == 0 {
				break
			}
			args = []any{v}
		}
	}
	if len(args) > len(k.types) {
		return false
	}
	for i, t := range k.types {
		if i >= len(args) {
			if k.required[i] {
				return false
			}
		} else if !t.fits(args[i]) && !(args[i] == nil && !k.required[i]) {
			return false
		}
	}
	return true
}

func (k *call) fitsNamed(object map[string]any) bool {
	known := 0
	for i, t := range k.types {
		v, there := object[k.names[i]]
		switch {
		case there && !t.fits(v) && !(v == nil && !k.required[i]):
			return false
		case !there && k.required[i]:
			return false
		case there:
			known++
		}
	}
	return known == len(object)
}

func decode(data []byte) any {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return v
}
