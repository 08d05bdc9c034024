package manifest

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// check reports whether the value, which is whole JSON text, meets the schema.
// Unlike the rest of the checker it decodes the value.
func (s *schema) check(value []byte, f *fail) bool {
	if s.compiled == nil {
		return true
	}
	if !tame(value) {
		f.rule, f.note = "range", "holds a number that is out of all proportion"
		return false
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		f.broken()
		return false
	}
	if err = s.compiled.Validate(v); err == nil {
		return true
	}
	var ve *jsonschema.ValidationError
	if !errors.As(err, &ve) {
		f.rule, f.note = "schema", err.Error()
		return false
	}
	f.schema(leaf(ve), v)
	return false
}

// leaf is the innermost cause of a failed validation that says something of its
// own. Of alternatives it looks into the one that the value is of the right
// type for, if there is but one such.
func leaf(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return e
	}
	switch e.ErrorKind.(type) {
	case *kind.Schema, *kind.Reference, *kind.Group, *kind.AllOf:
		// The library walks over maps, so the order of causes changes from
		// one run to the next.
		return leaf(slices.MinFunc(e.Causes, func(a, b *jsonschema.ValidationError) int {
			return cmp.Or(slices.Compare(a.InstanceLocation, b.InstanceLocation),
				slices.Compare(a.ErrorKind.KeywordPath(), b.ErrorKind.KeywordPath()),
				cmp.Compare(a.SchemaURL, b.SchemaURL))
		}))
	case *kind.AnyOf, *kind.OneOf:
		var right []*jsonschema.ValidationError
		for _, c := range e.Causes {
			l := leaf(c)
			_, typ := l.ErrorKind.(*kind.Type)
			if !typ || len(l.InstanceLocation) > len(e.InstanceLocation) {
				right = append(right, l)
			}
		}
		if len(right) == 1 {
			return right[0]
		}
	}
	return e
}

// schema notes a failed validation of root.
func (f *fail) schema(e *jsonschema.ValidationError, root any) {
	f.rule = "schema"
	if path := e.ErrorKind.KeywordPath(); len(path) > 0 {
		f.rule = path[0]
	}
	inner := steps(e.InstanceLocation, root)
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		f.expected, f.got = strings.Join(k.Want, " or "), k.Got
	case *kind.Required:
		missing := slices.Min(k.Missing)
		inner = append(inner, step{missing, -1})
		f.expected, f.got = "a value", "nothing"
	case *kind.Not:
		f.rule, f.note = "not", kindText(e)
	default:
		f.note = kindText(e)
	}
	slices.Reverse(inner)
	f.path = append(f.path, inner...)
}

// steps gives the tokens of a location the kind that they have in the value.
func steps(location []string, v any) []step {
	out := make([]step, 0, len(location)+1)
	for _, token := range location {
		switch at := v.(type) {
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(at) {
				return out
			}
			out, v = append(out, step{"", i}), at[i]
		case map[string]any:
			out, v = append(out, step{short(token), -1}), at[token]
		default:
			return out
		}
	}
	return out
}

// kindText is what the library says of one failure, without the place.
func kindText(e *jsonschema.ValidationError) string {
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf:
		return "fits none of the alternatives under anyOf"
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			return "fits more than one of the alternatives under oneOf"
		}
		return "fits none of the alternatives under oneOf"
	case *kind.Not:
		return "fits what stands under not"
	case *kind.FalseSchema:
		return "is not allowed"
	}
	bare := &jsonschema.ValidationError{ErrorKind: e.ErrorKind}
	text := strings.TrimPrefix(bare.Error(), "at '': ")
	const most = 200
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// tame reports whether all numbers of the text are such that exact arithmetic
// can bear them: the library turns 1e-999999999 into a fraction with as many
// digits.
func tame(b []byte) bool {
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			if i = skipString(b, i); i < 0 {
				return false
			}
		case isNumber(c):
			end := skipScalar(b, i)
			if !tameNumber(b[i:end]) {
				return false
			}
			i = end
		default:
			i++
		}
	}
	return true
}

// tameNumber is tame for one number.
func tameNumber(lit []byte) bool {
	const mostDigits, mostExponent = 800, 400
	if len(lit) > mostDigits {
		return false
	}
	if i := bytes.IndexAny(lit, "eE"); i >= 0 {
		e := exponent(lit[i:])
		return -mostExponent <= e && e <= mostExponent
	}
	return true
}
