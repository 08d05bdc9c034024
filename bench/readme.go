package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// The marks between which the README has what this program writes.
const (
	markBegin   = "<!-- generated: bench -->\n"
	markEvents  = "<!-- generated: bench events -->\n"
	markDurable = "<!-- generated: bench durable -->\n"
	markEnd     = "<!-- end -->\n"
)

// A section is a mark and what stands below it.
type section struct {
	mark  string
	print func(io.Writer)
}

// sections are those for which there are results.
func (r *report) sections() (all []section) {
	if len(r.Rows) > 0 {
		all = append(all, section{markBegin, r.printMarkdown})
	}
	if r.Events != nil {
		all = append(all, section{markEvents, r.Events.printMarkdown})
	}
	if r.Durable != nil {
		all = append(all, section{markDurable, r.Durable.printMarkdown})
	}
	return all
}

// writeInto replaces what stands between the marks in the file, of which it
// has one pair at least.
func (r *report) writeInto(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	found := false
	for _, s := range r.sections() {
		before, rest, ok := strings.Cut(string(text), s.mark)
		if !ok {
			continue
		}
		found = true
		_, after, ended := strings.Cut(rest, markEnd)
		if !ended {
			return fmt.Errorf("%s has no %q after %q", path, strings.TrimSpace(markEnd), strings.TrimSpace(s.mark))
		}
		var b bytes.Buffer
		b.WriteString(before + s.mark)
		s.print(&b)
		b.WriteString(markEnd + after)
		text = b.Bytes()
	}
	if !found {
		return fmt.Errorf("%s has no %q, nor another mark for what was measured", path, strings.TrimSpace(markBegin))
	}
	return os.WriteFile(path, text, 0o644)
}
