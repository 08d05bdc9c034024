package filter

import (
	"bytes"

	"github.com/ekkojs/ipc/wire"
)

// kind is what sort of value something is.
type kind uint8

const (
	nothing kind = iota // a missing field
	aNull
	aFalse
	aTrue
	aNumber
	aText
	other // objects, arrays, and what else equals nothing
)

// value is what the data has at some place.
type value struct {
	kind   kind
	text   []byte // what a text says, or a number as it was written
	number number
}

// literal is a value of the filter, which is never other.
type literal value

func numberLiteral(text []byte) literal {
	n, _ := readNumber(text, 0)
	return literal{kind: aNumber, text: text, number: n}
}

// append appends the literal as it is written.
func (l *literal) append(dst []byte) []byte {
	switch l.kind {
	case aTrue:
		return append(dst, "true"...)
	case aFalse:
		return append(dst, "false"...)
	case aNumber:
		return append(dst, l.text...)
	case aText:
		return wire.AppendString(dst, l.text)
	}
	return append(dst, "null"...)
}

// holds reports whether the condition holds for v.
func (t *test) holds(v *value) bool {
	switch t.op {
	case opTrue:
		return v.kind == aTrue
	case opExists:
		return v.kind != nothing
	case opEqual:
		return t.values[0].equals(v)
	case opNotEqual:
		return v.kind != nothing && !t.values[0].equals(v)
	case opIn:
		for k := range t.values {
			if t.values[k].equals(v) {
				return true
			}
		}
		return false
	}
	l := &t.values[0]
	if v.kind != l.kind {
		return false
	}
	switch t.op {
	case opStartsWith:
		return bytes.HasPrefix(v.text, l.text)
	case opEndsWith:
		return bytes.HasSuffix(v.text, l.text)
	case opContains:
		return bytes.Contains(v.text, l.text)
	}
	return t.op.allows(v.compare(l))
}

// equals reports whether v is the literal.
func (l *literal) equals(v *value) bool {
	switch {
	case v.kind != l.kind:
		return l.kind == aNull && v.kind == nothing
	case v.kind == aText:
		return bytes.Equal(v.text, l.text)
	case v.kind == aNumber:
		return v.compare(l) == 0
	}
	return true
}

// compare is negative, 0 or positive as v comes before, with or after a literal
// of the same kind, a number or a text.
func (v *value) compare(l *literal) int {
	if v.kind == aText {
		return bytes.Compare(v.text, l.text)
	}
	if order, known := v.number.compare(&l.number); known {
		return order
	}
	return compareDecimals(v.text, l.text)
}

// allows reports whether the order that compare found is one that op asks for.
func (op operator) allows(order int) bool {
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
