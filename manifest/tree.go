package manifest

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// parser builds the tree of a text.
type parser struct {
	text   []byte
	dec    *jsontext.Decoder
	report *report
	values int
}

// errStop ends the building of a tree whose problem is already reported.
var errStop = errors.New("stop")

// parseTree is the tree of the report's text, nil if it is no JSON. Duplicate
// names are reported, and the first of them kept.
func parseTree(r *report) *node {
	if hint := encodingHint(r.text); hint != "" {
		r.at(0, Error, "syntax", "", "%s", hint)
		return nil
	}
	p := &parser{
		text:   r.text,
		dec:    jsontext.NewDecoder(bytes.NewBuffer(r.text), jsontext.AllowDuplicateNames(true)),
		report: r,
	}
	root, err := p.value(nil, "", 0)
	if err == nil {
		if _, err = p.dec.ReadToken(); err == io.EOF {
			return root
		}
		// Whatever follows, be it JSON, is one value too many.
		p.trailing()
		return nil
	}
	p.syntax(err)
	return nil
}

// encodingHint recognises what editors write in place of plain UTF-8.
func encodingHint(text []byte) string {
	switch {
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		return "the text starts with a byte order mark: save it as UTF-8 without one"
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		return "the text is UTF-16: save it as UTF-8"
	case len(bytes.TrimLeft(text, " \t\r\n")) == 0:
		return "the text is empty: a manifest is an object with at least a service"
	}
	return ""
}

// here is where the next token starts.
func (p *parser) here() int {
	i := int(p.dec.InputOffset())
	for i < len(p.text) {
		switch p.text[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
			continue
		}
		break
	}
	return i
}

func (p *parser) value(parent *node, key string, depth int) (*node, error) {
	n := &node{kind: p.dec.PeekKind(), start: p.here(), parent: parent, key: key}
	if p.values++; p.values > maxValues {
		p.report.at(n.start, Error, "too-large", n.pointer(), "more than %d values", maxValues)
		return nil, errStop
	}
	if depth > maxDepth {
		p.report.at(n.start, Error, "too-deep", n.pointer(), "nested deeper than %d levels", maxDepth)
		return nil, errStop
	}
	tok, err := p.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch n.kind {
	case '"':
		n.text = tok.String()
	case '0':
		if n.text = tok.String(); !tameNumber([]byte(n.text)) {
			p.report.errorf(n, "range", "the number is out of all proportion")
			n.text = "0"
		}
	case '{':
		err = p.members(n, depth)
	case '[':
		err = p.elements(n, depth)
	}
	n.end = int(p.dec.InputOffset())
	return n, err
}

func (p *parser) members(n *node, depth int) error {
	first := map[string]int{}
	for p.dec.PeekKind() != '}' {
		at := p.here()
		tok, err := p.dec.ReadToken()
		if err != nil {
			return err
		}
		name := tok.String()
		value, err := p.value(n, name, depth+1)
		if err != nil {
			return err
		}
		if earlier, ok := first[name]; ok {
			line, _ := p.report.place(earlier)
			p.report.at(at, Error, "duplicate-name", value.pointer(), "duplicate name %s: it is already on line %d", quote(name), line)
			continue
		}
		first[name] = at
		n.members = append(n.members, member{name, at, value})
	}
	_, err := p.dec.ReadToken()
	return err
}

func (p *parser) elements(n *node, depth int) error {
	for p.dec.PeekKind() != ']' {
		value, err := p.value(n, strconv.Itoa(len(n.elems)), depth+1)
		if err != nil {
			return err
		}
		n.elems = append(n.elems, value)
	}
	_, err := p.dec.ReadToken()
	return err
}

// trailing reports what follows the end of the manifest.
func (p *parser) trailing() {
	at := int(p.dec.InputOffset())
	// The offset is beyond the token if the rest was well-formed: look for the
	// end of the first value instead.
	if end := skipValue(p.text, skipSpace(p.text, 0)); end >= 0 {
		at = skipSpace(p.text, end)
	}
	p.report.at(at, Error, "syntax", "", "text after the end of the manifest")
}

// syntax reports what the decoder stumbled over.
func (p *parser) syntax(err error) {
	if err == errStop {
		return
	}
	at, why, path := len(p.text), "unexpected end of the text", ""
	var se *jsontext.SyntacticError
	if errors.As(err, &se) {
		at, path = int(se.ByteOffset), string(se.JSONPointer)
		if !errors.Is(se.Err, io.ErrUnexpectedEOF) {
			why = se.Err.Error()
			at = p.offender(at)
		}
	} else if err != io.EOF {
		why = err.Error()
	}
	if hint := p.hint(at, why); hint != "" {
		why += ": " + hint
	}
	p.report.at(at, Error, "syntax", path, "%s", why)
}

// offender is the first byte at or after i that is not space.
func (p *parser) offender(i int) int {
	for i < len(p.text)-1 && strings.IndexByte(" \t\r\n", p.text[i]) >= 0 {
		// A raw line end inside a string is itself what is wrong.
		if p.inString(i) {
			break
		}
		i++
	}
	return i
}

// inString reports whether position i is within an unfinished string, judging
// by the quotes on its line.
func (p *parser) inString(i int) bool {
	line := p.text[bytes.LastIndexByte(p.text[:i], '\n')+1 : i]
	in := false
	for j := 0; j < len(line); j++ {
		switch {
		case line[j] == '\\' && in:
			j++
		case line[j] == '"':
			in = !in
		}
	}
	return in
}

// hint says what people mean by the usual slips, seeing where and why the
// decoder stopped.
func (p *parser) hint(at int, why string) string {
	if at >= len(p.text) {
		return ""
	}
	switch p.text[at] {
	case '"', '{', '[':
		if strings.Contains(why, "expecting ','") {
			return "is a comma missing before it?"
		}
	case '/', '#':
		return "JSON has no comments"
	case '\'':
		return "JSON strings stand in double quotes"
	case ',':
		return "no comma may stand before the closing bracket"
	case '\n', '\r':
		return "a string ends on the line it starts on; write \\n for a line end"
	}
	return ""
}
