package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/ekkojs/ipc/wire"
)

// longestLine is how long a line of input may be: nothing longer can be sent,
// whatever a service allows.
const longestLine = 16 << 20

// line is a JSON text on a line of input.
type line struct {
	number int // from 1
	text   []byte
}

// jsonTexts returns the JSON texts of an input, one a line. Blank lines count
// and are passed over. The last pair holds the error, if there is one: source,
// which is what the reader of it calls the input, and the number of the line.
// A text is valid until the next.
func jsonTexts(input io.Reader, source string) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		lines := bufio.NewScanner(input)
		lines.Buffer(nil, longestLine)
		number := 1
		for ; lines.Scan(); number++ {
			text := bytes.TrimSpace(lines.Bytes())
			if len(text) == 0 {
				continue
			}
			if err := wire.DefaultLimits.Valid(text); err != nil {
				yield(line{number: number}, badLine(source, number, fmt.Errorf("not JSON: %w", err)))
				return
			}
			if !yield(line{number, text}, nil) {
				return
			}
		}
		switch err := lines.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(line{number: number}, badLine(source, number, fmt.Errorf("longer than %d bytes", longestLine)))
		case err != nil:
			yield(line{number: number}, fmt.Errorf("reading %s: %w", source, err))
		}
	}
}

// badLine is what is wrong with a line of input.
func badLine(source string, number int, err error) error {
	return &usageError{err: fmt.Errorf("%s, line %d: %w", source, number, err)}
}

const standardInput = "standard input"
