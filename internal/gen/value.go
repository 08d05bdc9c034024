package gen

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// value is JSON whose members stand in the order of the text.
type value struct {
	kind  byte   // { [ " 0 t f n
	text  string // of a string, what it says; of a number, its digits
	names []string
	items []*value // of an array; of an object, by the position of its name
}

// parse reads a text of the manifest's, which is known to be JSON.
func parse(text []byte) *value {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return next(d)
}

func next(d *json.Decoder) *value {
	token, err := d.Token()
	if err != nil {
		return &value{kind: 'n'}
	}
	switch token := token.(type) {
	case json.Delim:
		return compound(d, byte(token))
	case string:
		return &value{kind: '"', text: token}
	case json.Number:
		return &value{kind: '0', text: token.String()}
	case bool:
		return &value{kind: strconv.FormatBool(token)[0]}
	}
	return &value{kind: 'n'}
}

func compound(d *json.Decoder, begin byte) *value {
	v := &value{kind: begin}
	for d.More() {
		if begin == '{' {
			name, _ := d.Token()
			text, _ := name.(string)
			v.names = append(v.names, text)
		}
		v.items = append(v.items, next(d))
	}
	d.Token() // the end
	return v
}

// get is the member of that name, nil if there is none.
func (v *value) get(name string) *value {
	for i, n := range v.names {
		if n == name {
			return v.items[i]
		}
	}
	return nil
}

// object is the member of that name if it is an object, else one without
// members.
func (v *value) object(name string) *value {
	if m := v.get(name); m != nil && m.kind == '{' {
		return m
	}
	return &value{kind: '{'}
}

// list is the elements of the member of that name.
func (v *value) list(name string) []*value {
	if m := v.get(name); m != nil && m.kind == '[' {
		return m.items
	}
	return nil
}

// string is the text of the member of that name.
func (v *value) string(name string) string {
	if m := v.get(name); m != nil && m.kind == '"' {
		return m.text
	}
	return ""
}

// at follows a JSON pointer, nil if it leads nowhere.
func (v *value) at(pointer string) *value {
	if pointer == "" {
		return v
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		if v.kind == '[' {
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v.items) {
				return nil
			}
			v = v.items[i]
		} else if v = v.get(token); v == nil {
			return nil
		}
	}
	return v
}

// brief is the value as JSON, cut where it is long.
func (v *value) brief() string {
	const most = 60
	text := []rune(string(v.append(nil)))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

func (v *value) append(dst []byte) []byte {
	switch v.kind {
	case '{', '[':
		dst = append(dst, v.kind)
		for i, item := range v.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			if v.kind == '{' {
				dst = append(append(dst, quoteJSON(v.names[i])...), ':')
			}
			dst = item.append(dst)
		}
		return append(dst, v.kind+2)
	case '"':
		return append(dst, quoteJSON(v.text)...)
	case '0':
		return append(dst, v.text...)
	case 't':
		return append(dst, "true"...)
	case 'f':
		return append(dst, "false"...)
	}
	return append(dst, "null"...)
}

func quoteJSON(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // no string fails
	}
	return strings.TrimSuffix(b.String(), "\n")
}
