package registry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ekkojs/ipc/wire"
)

// MappingError is what is wrong with a mapping file, and where.
type MappingError struct {
	File         string
	Line, Column int // from 1; columns count characters
	Message      string
}

// Error begins as compilers do, so that editors find the place.
func (e *MappingError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// maxMapped is how many services a mapping file may map.
const maxMapped = 4096

// mappingText reads the text of a mapping file, value by value, so that each
// complaint has its place.
type mappingText struct {
	text    []byte
	decoder *jsontext.Decoder
}

// parseMapping reads a mapping file. The error is a *MappingError.
func parseMapping(text []byte) (map[string]entry, error) {
	p := &mappingText{text: text, decoder: jsontext.NewDecoder(bytes.NewReader(text))}
	entries := make(map[string]entry)
	err := p.object("the file", func(name string, at int64) error {
		switch name {
		case "$schema":
			_, err := p.string(name)
			return err
		case "services":
			return p.object(name, func(service string, at int64) error {
				return p.service(entries, service, at)
			})
		}
		return p.wrong(at, "unknown field %q: only \"services\" is known", name)
	})
	if err == nil {
		if _, err = p.decoder.ReadToken(); errors.Is(err, io.EOF) {
			return entries, nil
		} else if err == nil {
			err = p.wrong(p.decoder.InputOffset()-1, "something follows the value")
		}
	}
	return nil, p.placed(err)
}

// service reads what one name is mapped to.
func (p *mappingText) service(entries map[string]entry, name string, at int64) error {
	if err := wire.CheckName(name); err != nil {
		return p.wrong(at, "%v", err)
	}
	if len(entries) == maxMapped {
		return p.wrong(at, "more than %d services", maxMapped)
	}
	var e entry
	var err error
	if p.decoder.PeekKind() == '"' {
		e, err = p.target(name, true, true)
	} else {
		e, err = p.targets(name)
	}
	if err != nil {
		return err
	}
	entries[name] = e
	return nil
}

// targets reads {"manifest": …, "address": …}.
func (p *mappingText) targets(service string) (e entry, err error) {
	at := p.next()
	err = p.object("service "+service, func(name string, at int64) error {
		switch name {
		case "manifest":
			t, err := p.target(name, true, false)
			e.manifest = t.manifest
			return err
		case "address":
			t, err := p.target(name, false, true)
			e.address = t.address
			return err
		}
		return p.wrong(at, "unknown field %q: \"manifest\" and \"address\" are known", name)
	})
	if err == nil && e == (entry{}) {
		err = p.wrong(at, "service %q is mapped to nothing: \"manifest\" or \"address\" is missing", service)
	}
	return e, err
}

// target reads a text that is an address or a path, of which one may not be
// allowed.
func (p *mappingText) target(what string, path, address bool) (entry, error) {
	at := p.next()
	text, err := p.string(what)
	if err != nil {
		return entry{}, err
	}
	isAddress, err := mappedAddress(text)
	switch {
	case text == "" || strings.ContainsRune(text, 0):
		return entry{}, p.wrong(at, "%q is mapped to %q", what, text)
	case !path || isAddress && address:
		if !isAddress {
			return entry{}, p.wrong(at, "%q is not an address: it has no scheme, such as unix:", text)
		}
		if err != nil {
			return entry{}, p.wrong(at, "%v", err)
		}
		return entry{address: text}, nil
	}
	return entry{manifest: text}, nil
}

// object reads an object, calling member for each of its names. member must
// read the value.
func (p *mappingText) object(what string, member func(name string, at int64) error) error {
	at := p.next()
	token, err := p.decoder.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != '{' {
		return p.wrong(at, "%s is not an object", what)
	}
	for p.decoder.PeekKind() != '}' {
		at := p.next()
		name, err := p.decoder.ReadToken()
		if err != nil {
			return err
		}
		if err := member(name.String(), at); err != nil {
			return err
		}
	}
	_, err = p.decoder.ReadToken()
	return err
}

func (p *mappingText) string(what string) (string, error) {
	at := p.next()
	token, err := p.decoder.ReadToken()
	if err != nil {
		return "", err
	}
	if token.Kind() != '"' {
		return "", p.wrong(at, "%q is not a string", what)
	}
	return token.String(), nil
}

// next returns where the next value or name begins.
func (p *mappingText) next() int64 {
	at := p.decoder.InputOffset()
	for at < int64(len(p.text)) && strings.IndexByte(" \t\r\n,:", p.text[at]) >= 0 {
		at++
	}
	return at
}

// wrong returns the error for what begins at that offset.
func (p *mappingText) wrong(at int64, format string, args ...any) error {
	before := p.text[:min(max(at, 0), int64(len(p.text)))]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return &MappingError{
		Line:    bytes.Count(before, []byte("\n")) + 1,
		Column:  utf8.RuneCount(line) + 1,
		Message: fmt.Sprintf(format, args...),
	}
}

// placed gives a decoder's error its line and column.
func (p *mappingText) placed(err error) error {
	if _, ok := errors.AsType[*MappingError](err); ok {
		return err
	}
	at, why := p.decoder.InputOffset(), err
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at, why = syntax.ByteOffset, syntax.Err
	}
	if errors.Is(why, io.EOF) || errors.Is(why, io.ErrUnexpectedEOF) {
		return p.wrong(int64(len(p.text)), "the text ends too early")
	}
	return p.wrong(at, "%s", strings.TrimPrefix(why.Error(), "jsontext: "))
}
