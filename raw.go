package ipc

import (
	"bytes"
	"errors"
	"strconv"

	stdjson "encoding/json"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// Raw is JSON text: what a call sent or answered, undecoded.
type Raw []byte

// Decode stores the value in v, which is a pointer as for json.Unmarshal.
// Member names are matched with regard to case, and unknown ones are ignored.
func (r Raw) Decode(v any) error {
	if err := r.decode(v); err != nil {
		return wire.Errorf(wire.CodeSchemaMismatch, "%w", err)
	}
	return nil
}

// decode is Decode for callers that put a code on the error themselves.
func (r Raw) decode(v any) error {
	if len(r) == 0 {
		r = Raw("null")
	}
	if err := json.Unmarshal(r, v); err != nil {
		return readable(err)
	}
	return nil
}

// readable takes the name of the decoding library out of its error.
func readable(err error) error {
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok || semantic.GoType == nil {
		return err
	}
	at := ""
	if semantic.JSONPointer != "" {
		at = " at " + string(semantic.JSONPointer)
	}
	if semantic.Err != nil {
		return errors.New("JSON " + semantic.JSONKind.String() + at + " does not fit " + semantic.GoType.String() + ": " + semantic.Err.Error())
	}
	return errors.New("JSON " + semantic.JSONKind.String() + at + " does not fit " + semantic.GoType.String())
}

// String returns the text.
func (r Raw) String() string { return string(r) }

// MarshalJSON returns the text itself.
func (r Raw) MarshalJSON() ([]byte, error) {
	if r == nil {
		return []byte("null"), nil
	}
	return r, nil
}

// UnmarshalJSON keeps a copy of the text.
func (r *Raw) UnmarshalJSON(text []byte) error {
	*r = append((*r)[:0], text...)
	return nil
}

// appendJSON appends the JSON of v. Raw, json.RawMessage and jsontext.Value
// are checked and taken as they are.
func appendJSON(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case Raw:
		return appendRaw(dst, v)
	case stdjson.RawMessage:
		return appendRaw(dst, v)
	case jsontext.Value:
		return appendRaw(dst, v)
	case string:
		return wire.AppendString(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	}
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return dst, wire.Errorf(wire.CodeInvalidArgument, "cannot be written as JSON: %w", err)
	}
	if mayExceed(text) {
		return appendRaw(dst, text)
	}
	if dst == nil {
		return text, nil
	}
	return append(dst, text...), nil
}

// jsonOf is appendJSON for a text that is not written to: one that is JSON
// already is not copied.
func jsonOf(v any) (Raw, error) {
	var text []byte
	switch v := v.(type) {
	case Raw:
		text = v
	case stdjson.RawMessage:
		text = v
	case jsontext.Value:
		text = v
	}
	if len(text) > 0 {
		return text, payload.Valid(text)
	}
	return appendJSON(nil, v)
}

// mayExceed reports whether text, which is JSON, has to be looked at more
// closely: it may be deeper, or have more members or values, than a peer reads.
func mayExceed(text []byte) bool {
	return len(text) > payload.MaxMembers || bytes.Count(text, []byte("{"))+bytes.Count(text, []byte("[")) > payload.MaxDepth
}

func appendRaw(dst []byte, text []byte) ([]byte, error) {
	if len(text) == 0 {
		return append(dst, "null"...), nil
	}
	if err := payload.Valid(text); err != nil {
		return dst, err
	}
	return append(dst, text...), nil
}

// payload is what an argument or a result may be, so that the peer can read
// the message around it: that is one level, and the list of arguments another.
var payload = &wire.Limits{
	MaxDepth:   wire.DefaultLimits.MaxDepth - 2,
	MaxMembers: wire.DefaultLimits.MaxMembers,
	MaxTokens:  wire.DefaultLimits.MaxTokens - 64,
}

// appendArguments appends args as a JSON array, or nothing if there are none.
func appendArguments(dst []byte, args []any) ([]byte, error) {
	if len(args) == 0 {
		return dst, nil
	}
	for i, arg := range args {
		if i == 0 {
			dst = append(dst, '[')
		} else {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendJSON(dst, arg); err != nil {
			e := wire.Errorf(wire.CodeOf(err), "argument %d: %w", i+1, err)
			e.Details.Path = "/" + strconv.Itoa(i)
			e.Details.Origin = wire.OriginClient
			return dst, e
		}
	}
	return append(dst, ']'), nil
}

// argumentsText returns args as the data of a request, nil if there are none.
// It is to be released.
func argumentsText(args []any) (*session.Text, error) {
	if len(args) == 0 {
		return nil, nil
	}
	t := session.NewText(sizeOf(args...))
	if err := t.Set(func(dst []byte) ([]byte, error) { return appendArguments(dst, args) }); err != nil {
		t.Release()
		return nil, err
	}
	return t, nil
}

// jsonText returns v as the data of an answer. It is to be released.
func jsonText(v any) (*session.Text, error) {
	t := session.NewText(sizeOf(v))
	if err := t.Set(func(dst []byte) ([]byte, error) { return appendJSON(dst, v) }); err != nil {
		t.Release()
		return nil, err
	}
	return t, nil
}

// sizeOf is about how long values become as JSON, as far as that is known.
func sizeOf(values ...any) (n int) {
	for _, v := range values {
		switch v := v.(type) {
		case Raw:
			n += len(v)
		case stdjson.RawMessage:
			n += len(v)
		case jsontext.Value:
			n += len(v)
		case string:
			n += len(v)
		}
	}
	return n
}
