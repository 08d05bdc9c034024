package manifest

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// The functions of this file walk over JSON text that somebody has already
// found valid: they look for where things end, not for what is wrong. On text
// that is not JSON they stay within its bounds and answer -1 or nonsense,
// which is why the checker may be used on nothing else.

// skipSpace is the position of the next byte that is no space, len(b) if there
// is none.
func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' {
		i++
	}
	return i
}

// skipString is the position after the string that starts at i.
func skipString(b []byte, i int) int {
	for j := i + 1; j < len(b); j++ {
		k := bytes.IndexByte(b[j:], '"')
		if k < 0 {
			return -1
		}
		j += k
		n := j - 1
		for n > i && b[n] == '\\' {
			n--
		}
		if (j-1-n)%2 == 0 {
			return j + 1
		}
	}
	return -1
}

// skipValue is the position after the value that starts at i. It needs no
// stack, however deep the value.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = skipString(b, i); i < 0 {
				return -1
			}
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			i++
			continue
		default:
			i = skipScalar(b, i)
		}
		if depth <= 0 {
			if depth < 0 {
				return -1
			}
			return i
		}
	}
	return -1
}

// skipScalar is the position after the number or literal at i, always beyond i.
func skipScalar(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case ',', ']', '}', ':', '"', '[', '{', ' ', '\t', '\r', '\n':
			return i
		}
	}
	return i
}

// next is the position of the element or member after the one that ended at i,
// and whether there is one; the position is -1 where the text is broken.
func next(b []byte, i int, closing byte) (pos int, more bool) {
	i = skipSpace(b, i)
	if i >= len(b) {
		return -1, false
	}
	switch b[i] {
	case ',':
		return skipSpace(b, i+1), true
	case closing:
		return i + 1, false
	}
	return -1, false
}

// first is the position of the first element or member inside the bracket at
// i, and whether there is one.
func first(b []byte, i int, closing byte) (pos int, more bool) {
	i = skipSpace(b, i+1)
	if i >= len(b) {
		return -1, false
	}
	if b[i] == closing {
		return i + 1, false
	}
	return i, true
}

// memberName is the raw text of the name at i, without its quotes, and the
// position of the value after it, -1 where the text is broken.
func memberName(b []byte, i int) (name []byte, value int) {
	if i >= len(b) || b[i] != '"' {
		return nil, -1
	}
	end := skipString(b, i)
	if end < 0 {
		return nil, -1
	}
	name = b[i+1 : end-1]
	i = skipSpace(b, end)
	if i >= len(b) || b[i] != ':' {
		return nil, -1
	}
	i = skipSpace(b, i+1)
	if i >= len(b) {
		return nil, -1
	}
	if bytes.IndexByte(name, '\\') >= 0 {
		name = unquote(name)
	}
	return name, i
}

// unquote resolves the escapes of a string's inside. It is the only thing on
// the way of a fitting value that allocates, and names hardly ever need it.
func unquote(inside []byte) []byte {
	quoted := make([]byte, 0, len(inside)+2)
	quoted = append(append(append(quoted, '"'), inside...), '"')
	out, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return inside
	}
	return out
}
