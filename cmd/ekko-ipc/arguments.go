package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// arguments are the words after a method: all of them positional, or all of
// them named.
type arguments struct {
	positional [][]byte // JSON texts; nil: it stands on standard input
	named      []argument
}

type argument struct {
	name  string
	value []byte // a JSON text; nil: it stands on standard input
}

// parseArguments reads the words after a method. "-" is the text of standard
// input, which is left there as long as it may hold items of a stream instead;
// name=value is a named argument; a word that is JSON is that value, and any
// other word a string.
func (c *cli) parseArguments(words []string) (arguments, error) {
	var parsed arguments
	for _, word := range words {
		name, text := "", unshield(word)
		if before, after, ok := strings.Cut(text, "="); ok && isIdentifier(before) {
			name, text = before, after
		}
		var value []byte
		if text != "-" {
			var err error
			if value, err = c.parseValue(text); err != nil {
				return arguments{}, err
			}
		}
		if name == "" {
			parsed.positional = append(parsed.positional, value)
			continue
		}
		if slices.ContainsFunc(parsed.named, func(a argument) bool { return a.name == name }) {
			return arguments{}, fmt.Errorf("argument %s is given twice", name)
		}
		parsed.named = append(parsed.named, argument{name, value})
	}
	if len(parsed.positional) > 0 && len(parsed.named) > 0 {
		return arguments{}, hint(
			errors.New("positional and named arguments cannot be mixed"),
			`a string that holds "=" is written as JSON: '"`+words[0]+`"'`)
	}
	return parsed, nil
}

// parseValue turns one word into a JSON text.
func (c *cli) parseValue(word string) ([]byte, error) {
	if word == "-" {
		input, err := io.ReadAll(c.stdin)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		word = strings.TrimSpace(string(input))
	}
	err := wire.DefaultLimits.Valid([]byte(word))
	if err == nil {
		return []byte(word), nil
	}
	if word != "" && strings.ContainsRune(`{["`, rune(word[0])) {
		c.note("%s looks like JSON but is not (%v): sent as a string", shorten(word, 40), err)
	}
	return wire.AppendString(nil, word), nil
}

// wantInput reports whether an argument stands on standard input.
func (a *arguments) wantInput() bool {
	return slices.ContainsFunc(a.positional, func(value []byte) bool { return value == nil }) ||
		slices.ContainsFunc(a.named, func(named argument) bool { return named.value == nil })
}

// fill reads the arguments that stand on standard input.
func (c *cli) fill(a *arguments) (err error) {
	for i, value := range a.positional {
		if value == nil {
			if a.positional[i], err = c.parseValue("-"); err != nil {
				return err
			}
		}
	}
	for i, named := range a.named {
		if named.value == nil {
			if a.named[i].value, err = c.parseValue("-"); err != nil {
				return err
			}
		}
	}
	return nil
}

// data puts the arguments into the form in which a request carries them:
// nothing, an array of positional arguments, or an object of named ones.
//
// Named arguments need a look at the manifest, since the protocol reads an
// object as the single argument of a method that has but one parameter: there
// "id=123" means [123], and "name=Ada email=…" the fields of that one argument.
func (a arguments) data(method *manifest.Method) ipc.Raw {
	switch {
	case len(a.named) > 0 && method != nil && len(method.Parameters) == 1:
		if len(a.named) == 1 && a.named[0].name == method.Parameters[0].Name {
			return array([][]byte{a.named[0].value})
		}
		return array([][]byte{object(a.named)})
	case len(a.named) > 0:
		return object(a.named)
	case len(a.positional) > 0:
		return array(a.positional)
	}
	return nil
}

func array(values [][]byte) []byte {
	return slices.Concat([]byte("["), bytes.Join(values, []byte(",")), []byte("]"))
}

func object(members []argument) []byte {
	text := []byte("{")
	for i, member := range members {
		if i > 0 {
			text = append(text, ',')
		}
		text = wire.AppendString(text, member.name)
		text = append(text, ':')
		text = append(text, member.value...)
	}
	return append(text, '}')
}

// readData reads the text of --data: JSON, "-" for standard input.
func (c *cli) readData(text string) (ipc.Raw, error) {
	raw := []byte(text)
	if text == "-" {
		var err error
		if raw, err = io.ReadAll(c.stdin); err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, nil
	}
	if err := wire.DefaultLimits.Valid(raw); err != nil {
		return nil, &usageError{err: fmt.Errorf("--data is not JSON: %w", err)}
	}
	var line bytes.Buffer // one line, whatever the layout of the source
	if err := json.Compact(&line, raw); err != nil {
		return nil, err
	}
	return line.Bytes(), nil
}

func isIdentifier(s string) bool {
	for i, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '_'
		if !letter && (i == 0 || (r != '-' && (r < '0' || r > '9'))) {
			return false
		}
	}
	return s != ""
}
