package filter

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/ekkojs/ipc/wire"
)

// missing is what a path finds where there is nothing.
type missing struct{}

// naive is the plainest way to evaluate a filter: all of the data decoded, and
// the tree walked. It is undefined for numbers out of all proportion.
func naive(e *expr, data any) bool {
	switch e.kind {
	case isNot:
		return !naive(e.args[0], data)
	case isAnd:
		for _, arg := range e.args {
			if !naive(arg, data) {
				return false
			}
		}
		return true
	case isOr:
		for _, arg := range e.args {
			if naive(arg, data) {
				return true
			}
		}
		return false
	}
	found := find(data, e.path)
	switch e.op {
	case opTrue:
		return found == true
	case opExists:
		return found != missing{}
	case opEqual:
		return same(found, e.values[0])
	case opNotEqual:
		return found != missing{} && !same(found, e.values[0])
	case opIn:
		for _, l := range e.values {
			if same(found, l) {
				return true
			}
		}
		return false
	}
	return naiveOrder(e.op, found, plainly(e.values[0]))
}

func naiveOrder(op operator, found, want any) bool {
	var order int
	switch want := want.(type) {
	case string:
		text, ok := found.(string)
		if !ok {
			return false
		}
		switch op {
		case opStartsWith:
			return strings.HasPrefix(text, want)
		case opEndsWith:
			return strings.HasSuffix(text, want)
		case opContains:
			return strings.Contains(text, want)
		}
		order = cmp.Compare(text, want)
	case json.Number:
		number, ok := found.(json.Number)
		if !ok {
			return false
		}
		order = rational(number).Cmp(rational(want))
	}
	switch op {
	case opLess:
		return order < 0
	case opLessOrEqual:
		return order <= 0
	case opGreater:
		return order > 0
	}
	return order >= 0
}

func rational(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		panic("no number: " + n.String())
	}
	return r
}

// plainly is a literal as encoding/json would decode it.
func plainly(l literal) any {
	switch l.kind {
	case aTrue, aFalse:
		return l.kind == aTrue
	case aNumber:
		return json.Number(l.text)
	case aText:
		return string(l.text)
	}
	return nil
}

func same(found any, l literal) bool {
	want := plainly(l)
	switch found := found.(type) {
	case missing:
		return want == nil
	case json.Number:
		n, ok := want.(json.Number)
		return ok && rational(found).Cmp(rational(n)) == 0
	case []any, map[string]any:
		return false
	}
	return found == want
}

func find(data any, path []step) any {
	for _, s := range path {
		switch in := data.(type) {
		case map[string]any:
			next, ok := in[s.name]
			if !ok || s.index >= 0 {
				return missing{}
			}
			data = next
		case []any:
			if s.index < 0 || s.index >= len(in) {
				return missing{}
			}
			data = in[s.index]
		default:
			return missing{}
		}
	}
	return data
}

// decode is the data for naive; ok is false for what it is not defined for:
// what is no message's data, and absurd numbers.
func decode(data []byte) (v any, ok bool) {
	if len(data) == 0 {
		return missing{}, true
	}
	if wire.DefaultLimits.Valid(data) != nil {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, false
	}
	return v, !absurd(v)
}

func absurd(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			if absurd(e) {
				return true
			}
		}
	case []any:
		for _, e := range v {
			if absurd(e) {
				return true
			}
		}
	case json.Number:
		return isAbsurd(v.String())
	}
	return false
}

// isAbsurd reports whether a number is longer than Match compares, or has an
// exponent of more than three digits.
func isAbsurd(number string) bool {
	if len(number) > MaxText {
		return true
	}
	_, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	return len(strings.TrimLeft(exponent, "+-0")) > 3
}

func absurdFilter(e *expr) bool {
	for _, l := range e.values {
		if l.kind == aNumber && isAbsurd(string(l.text)) {
			return true
		}
	}
	for _, arg := range e.args {
		if absurdFilter(arg) {
			return true
		}
	}
	return false
}

// checkMatch holds Match to naive.
func checkMatch(t interface {
	Helper()
	Fatalf(string, ...any)
}, e *expr, f *Filter, data []byte) {
	t.Helper()
	given := bytes.Clone(data)
	got := f.Match(data)
	if !bytes.Equal(given, data) {
		t.Fatalf("the data was written to")
	}
	if v, ok := decode(data); ok && !absurdFilter(e) {
		if want := naive(e, v); got != want {
			t.Fatalf("%s is %t for %s, want %t", f, got, data, want)
		}
	}
}

func mustParse(t testing.TB, text string) *Filter {
	t.Helper()
	f, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}
