package manifest

import (
	"fmt"
	"strings"
)

// Severity says whether a problem keeps a manifest from being used.
type Severity uint8

// The severities.
const (
	Warning Severity = iota + 1 // the manifest works, though perhaps not as meant
	Error                       // the manifest is refused
)

// String is "warning" or "error".
func (s Severity) String() string {
	switch s {
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// Problem is one thing wrong with a manifest's text.
type Problem struct {
	Line     int // from 1
	Column   int // from 1, in characters
	Severity Severity
	// Rule is the stable name of what was broken, such as "unknown-field".
	Rule    string
	Message string
	// Path is the JSON pointer of the value that the message is about.
	Path string
}

// String is the problem on one line, in the form that editors understand when
// a file name and a colon stand before it.
func (p Problem) String() string {
	if p.Path == "" {
		return fmt.Sprintf("%d:%d: %v: %s", p.Line, p.Column, p.Severity, p.Message)
	}
	return fmt.Sprintf("%d:%d: %v: %s (%s)", p.Line, p.Column, p.Severity, p.Message, p.Path)
}

// SyntaxError is why a manifest was refused. The embedded problem is its first
// error.
type SyntaxError struct {
	Problem
	// File is the name of the file, empty when the text did not come from one.
	File string
	// Problems is all that was found, warnings too, in the order of the text.
	Problems []Problem
}

// Error is the first error with its place and the number of further ones.
func (e *SyntaxError) Error() string {
	var b strings.Builder
	if e.File != "" {
		fmt.Fprintf(&b, "%s:%d:%d: ", e.File, e.Line, e.Column)
	} else {
		fmt.Fprintf(&b, "manifest: line %d, column %d: ", e.Line, e.Column)
	}
	b.WriteString(e.Message)
	more := -1
	for _, p := range e.Problems {
		if p.Severity == Error {
			more++
		}
	}
	if more > 0 {
		fmt.Fprintf(&b, " (and %d more)", more)
	}
	return b.String()
}
