package manifest

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ekkojs/ipc/internal/plain"
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
	if end := plain.Short(b, i+1); end >= 0 {
		return end + 1
	}
	return skipInside(b, i+1)
}

// skipInside is the position after the string whose inside goes on at i.
func skipInside(b []byte, i int) int {
	for i < len(b) {
		if i += plain.Text(b[i:]); i < len(b) && b[i] == '"' {
			return i + 1
		}
		i += 2 // an escape, whose second character may be a quote
	}
	return -1
}

// skipValue is the position after the value that starts at i. It needs no
// stack, however deep the value.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		n := plain.Enclosed(b[i:])
		if n < 0 {
			return -1
		}
		return i + n
	}
	return skipScalar(b, i)
}

// skipWhole is like skipValue for a value that is all that b has from i on:
// the text being valid, it ends where b does.
func skipWhole(b []byte, i int) int {
	end := len(b)
	for end > i+1 && b[end-1] <= ' ' {
		end--
	}
	if end > i+1 {
		switch first, last := b[i], b[end-1]; {
		case first == '"' && last == '"', first == '{' && last == '}', first == '[' && last == ']':
			return end
		}
	}
	return skipValue(b, i)
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

// memberName is the text of the name at i, without its quotes, and the
// position of the value after it, -1 where the text is broken.
func memberName(b []byte, i int) (name []byte, value int) {
	if i >= len(b) || b[i] != '"' {
		return nil, -1
	}
	start := i + 1
	end := plain.Short(b, start)
	if end < 0 {
		if end = start + plain.Text(b[start:]); end == len(b) {
			return nil, -1
		}
	}
	if b[end] == '"' {
		name, i = b[start:end], end+1
	} else {
		if i = skipInside(b, end); i < 0 {
			return nil, -1
		}
		name = unquote(b[start : i-1])
	}
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		return nil, -1
	}
	if i = skipSpace(b, i+1); i >= len(b) {
		return nil, -1
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
