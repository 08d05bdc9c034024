package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// The marks between which the README has what this program writes.
const (
	markBegin = "<!-- generated: bench -->\n"
	markEnd   = "<!-- end -->\n"
)

// writeInto replaces what stands between the marks in the file.
func (r *report) writeInto(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), markBegin)
	_, after, ended := strings.Cut(rest, markEnd)
	if !ok || !ended {
		return fmt.Errorf("%s has no %q with %q after it", path, strings.TrimSpace(markBegin), strings.TrimSpace(markEnd))
	}
	var b bytes.Buffer
	b.WriteString(before + markBegin)
	r.printMarkdown(&b)
	b.WriteString(markEnd + after)
	return os.WriteFile(path, b.Bytes(), 0o644)
}
