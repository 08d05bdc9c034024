package wire

import (
	"iter"

	"github.com/ekkojs/ipc/internal/plain"
)

// IsBatch reports whether frame holds a batch: whether its first byte that is
// not white space is an opening bracket.
func IsBatch(frame []byte) bool {
	for _, c := range frame {
		if !isSpace(c) {
			return c == '['
		}
	}
	return false
}

// Batch returns the elements of a batch, each as it stands in frame. A batch
// is whole or nothing: frame is checked by the rules of Valid before the
// first element is given, and if it is not an array, is empty, or breaks the
// rules, the one pair that comes is a nil element and an *Error. The array
// itself does not count as depth: a message may be as deep in a batch as
// alone. What the elements are is not looked at: Decode does.
func (l *Limits) Batch(frame []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := l.checkBatch(frame); err != nil {
			yield(nil, err)
			return
		}
		i := skipSpace(frame, 0)
		for frame[i] != ']' {
			start := skipSpace(frame, i+1)
			end := skipValid(frame, start)
			if !yield(frame[start:end:end], nil) {
				return
			}
			i = skipSpace(frame, end)
		}
	}
}

// checkBatch checks the whole frame.
func (l *Limits) checkBatch(frame []byte) error {
	s := newScanner(frame, l)
	s.maxDepth++
	i := s.space(0)
	switch {
	case s.at(i) != '[':
		s.bad(i, "expected an array")
	case s.at(s.space(i+1)) == ']':
		s.bad(i, "an empty batch")
	default:
		if i = s.value(i); i >= 0 {
			s.end(i)
		}
	}
	return s.release()
}

func skipSpace(buf []byte, i int) int {
	for i < len(buf) && isSpace(buf[i]) {
		i++
	}
	return i
}

// skipValid returns the end of the value at i of a text known to be valid.
func skipValid(buf []byte, i int) int {
	switch buf[i] {
	case '{', '[':
		return i + plain.Enclosed(buf[i:])
	case '"':
		return skipString(buf, i+1)
	}
	return skipScalar(buf, i)
}

// skipString returns the position after the string whose inside begins at i.
func skipString(buf []byte, i int) int {
	for {
		i += plain.Text(buf[i:])
		if buf[i] == '"' {
			return i + 1
		}
		i += 2 // an escape, whose second character may be a quote
	}
}

// skipScalar returns the position after a number or a word. Something always
// follows it: a batch ends with a bracket.
func skipScalar(buf []byte, i int) int {
	for {
		switch buf[i] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return i
		}
		i++
	}
}
