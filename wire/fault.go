package wire

import "strconv"

// A fault is what a scanner found wrong, kept small until somebody asks.
type fault struct {
	code  Code
	text  string
	limit int // what was exceeded; 0 when that is not the matter
	pos   int
	path  string
}

// bad notes that the text is not what it has to be at i.
func (s *scanner) bad(i int, text string) int {
	if s.fault.code == "" {
		s.fault = fault{code: CodeMalformedMessage, text: text, pos: i}
	}
	return failed
}

// large notes that the text goes beyond a limit at i.
func (s *scanner) large(i int, text string, limit int) int {
	if s.fault.code == "" {
		s.fault = fault{code: CodeMessageTooLarge, text: text, limit: limit, pos: i}
	}
	return failed
}

func (s *scanner) tooMany(i int) int { return s.large(i, "too many values", s.maxTokens) }

// failure returns the fault as an error.
func (f *fault) failure() *Error {
	e := Errorf(f.code, "%s at offset %d", f.text, f.pos)
	e.Details.Path = f.path
	e.Details.More = map[string]any{"offset": f.pos}
	if f.limit > 0 {
		e.Message = e.Message + ", limit " + strconv.Itoa(f.limit)
		e.Details.More["limit"] = f.limit
	}
	return e
}
