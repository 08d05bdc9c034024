package wire

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// size is how large a JSON value is, by the measures of Limits.
type size struct{ depth, members, tokens int }

func (s size) within(l *Limits) bool {
	return s.depth <= l.maxDepth() && s.members <= l.maxMembers() && s.tokens <= l.maxTokens()
}

// oracle reads one value by a reader that is not ours and as strict. It
// returns the value's size, or an error if it is none.
func oracle(raw []byte) (size, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	var s size
	for {
		tok, err := dec.ReadToken()
		if err != nil {
			return s, err
		}
		switch tok.Kind() {
		case '}', ']':
		default:
			s.tokens++
		}
		depth := dec.StackDepth()
		if depth == 0 {
			break
		}
		s.depth = max(s.depth, depth)
		if kind, n := dec.StackIndex(depth); kind == '{' {
			s.members = max(s.members, int(n+1)/2)
		}
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return s, errors.New("text after the value")
	}
	return s, nil
}

// oracleFields reads the members of an object: the names as what they stand
// for, the values as they stand.
func oracleFields(raw []byte) (map[string]string, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return nil, errors.New("not an object")
	}
	fields := map[string]string{}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String() // before the next read: it lies in the decoder's buffer
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		fields[key] = string(value)
	}
	return fields, nil
}

// oracleText returns what a JSON string stands for.
func oracleText(raw string) (string, bool) {
	if raw == "" || raw[0] != '"' {
		return "", false
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	return string(text), err == nil
}
