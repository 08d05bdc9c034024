package filter

import (
	"strconv"
	"unicode"

	"github.com/ekkojs/ipc/wire"
)

// expr is a filter as it was written: a tree of conditions.
type expr struct {
	kind exprKind
	args []*expr // of and, or: two or more, none of the same kind; of not: one
	condition
	bit uint64 // of the condition in the filter made of it
}

type exprKind uint8

const (
	isCondition exprKind = iota
	isAnd
	isOr
	isNot
)

// condition is what is asked of one field.
type condition struct {
	path   []step
	op     operator
	values []literal // one, but for opIn any number and for opTrue and opExists none
}

// step is one name or, where the name is empty and the index not negative, one
// index of a path.
type step struct {
	name  string
	index int // -1 for a name
}

type operator uint8

const (
	opTrue operator = iota // a field alone
	opExists
	opEqual
	opNotEqual
	opLess
	opLessOrEqual
	opGreater
	opGreaterOrEqual
	opIn
	opStartsWith
	opEndsWith
	opContains
)

// spellings are the operators as they are written between field and value.
var spellings = [...]string{
	opEqual: "==", opNotEqual: "!=", opLess: "<", opLessOrEqual: "<=", opGreater: ">", opGreaterOrEqual: ">=",
	opIn: "in", opStartsWith: "startsWith", opEndsWith: "endsWith", opContains: "contains",
}

// hasOrder reports whether op asks which value comes first.
func (op operator) hasOrder() bool { return opLess <= op && op <= opGreaterOrEqual }

// ofTexts reports whether op makes sense for texts only.
func (op operator) ofTexts() bool { return op >= opStartsWith }

// append appends the canonical form of e.
func (e *expr) append(dst []byte) []byte {
	switch e.kind {
	case isNot:
		arg := e.args[0]
		return arg.appendWithin(append(dst, '!'), arg.kind == isAnd || arg.kind == isOr || arg.isComparison())
	case isAnd, isOr:
		for k, arg := range e.args {
			if k > 0 && e.kind == isAnd {
				dst = append(dst, " && "...)
			} else if k > 0 {
				dst = append(dst, " || "...)
			}
			dst = arg.appendWithin(dst, arg.kind == isOr)
		}
		return dst
	}
	return e.condition.append(dst)
}

// appendWithin is append, with parentheses where they are needed.
func (e *expr) appendWithin(dst []byte, parentheses bool) []byte {
	if !parentheses {
		return e.append(dst)
	}
	return append(e.append(append(dst, '(')), ')')
}

// isComparison reports whether e is a condition with an operator in its midst.
func (e *expr) isComparison() bool { return e.kind == isCondition && e.op > opExists }

func (c *condition) append(dst []byte) []byte {
	switch c.op {
	case opTrue:
		return appendPath(dst, c.path)
	case opExists:
		return append(appendPath(append(dst, "exists("...), c.path), ')')
	}
	dst = append(appendPath(dst, c.path), ' ')
	dst = append(append(dst, spellings[c.op]...), ' ')
	if c.op != opIn {
		return c.values[0].append(dst)
	}
	dst = append(dst, '[')
	for k := range c.values {
		if k > 0 {
			dst = append(dst, ", "...)
		}
		dst = c.values[k].append(dst)
	}
	return append(dst, ']')
}

func appendPath(dst []byte, path []step) []byte {
	for k, s := range path {
		switch {
		case s.index >= 0:
			dst = append(strconv.AppendInt(append(dst, '['), int64(s.index), 10), ']')
		case !isName(s.name) || k == 0 && isTaken(s.name):
			dst = append(wire.AppendString(append(dst, '['), s.name), ']')
		case k == 0:
			dst = append(dst, s.name...)
		default:
			dst = append(append(dst, '.'), s.name...)
		}
	}
	return dst
}

// isTaken reports whether a word means something else at the front of a path.
func isTaken(word string) bool {
	return word == "true" || word == "false" || word == "null" || word == "exists"
}

// isName reports whether a name can be written without quotes.
func isName(s string) bool { return s != "" && nameLength(s) == len(s) }

// nameLength returns the length of the name that s begins with.
func nameLength(s string) int {
	for i, r := range s {
		switch {
		case r == '_', r == '$', unicode.IsLetter(r):
		case i > 0 && (r == '-' || unicode.IsDigit(r)):
		default:
			return i
		}
	}
	return len(s)
}
