package manifest

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// report collects problems and knows the lines of the text.
type report struct {
	text     []byte
	problems []located
	count    [Error + 1]int
	lines    []int // offset of each line's start, made when first needed
}

type located struct {
	Problem
	offset int
}

// at adds a problem at an offset of the text.
func (r *report) at(offset int, s Severity, rule, path, format string, args ...any) {
	if r.count[s]++; r.count[s] > maxProblems {
		return
	}
	line, column := r.place(offset)
	r.problems = append(r.problems, located{Problem{
		Line: line, Column: column, Severity: s, Rule: rule,
		Message: fmt.Sprintf(format, args...), Path: path,
	}, offset})
}

// full reports whether a further error would not be shown, so that working out
// what it should say is in vain.
func (r *report) full() bool { return r.count[Error] >= maxProblems }

// errorf adds an error about the value.
func (r *report) errorf(n *node, rule, format string, args ...any) {
	r.at(n.start, Error, rule, n.pointer(), format, args...)
}

// warnf adds a warning about the value.
func (r *report) warnf(n *node, rule, format string, args ...any) {
	r.at(n.start, Warning, rule, n.pointer(), format, args...)
}

// place is the line and column of an offset, both from 1; columns count
// characters, not bytes.
func (r *report) place(offset int) (line, column int) {
	if r.lines == nil {
		r.lines = append(r.lines, 0)
		for i, c := range r.text {
			if c == '\n' {
				r.lines = append(r.lines, i+1)
			}
		}
	}
	offset = min(offset, len(r.text))
	line = sort.SearchInts(r.lines, offset+1)
	return line, 1 + utf8.RuneCount(r.text[r.lines[line-1]:offset])
}

// sorted is the problems in the order of the text.
func (r *report) sorted() []Problem {
	sort.SliceStable(r.problems, func(i, j int) bool { return r.problems[i].offset < r.problems[j].offset })
	out := make([]Problem, len(r.problems))
	for i, p := range r.problems {
		out[i] = p.Problem
	}
	return out
}

// quote puts somebody else's text into a message, cut where it gets long.
func quote(s string) string { return strconv.Quote(short(s)) }

// short cuts a text that could be as long as its author likes.
func short(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// meant is ": did you mean …?" if a candidate is near, else nothing.
func meant(name string, candidates []string) string {
	if near := Closest(name, candidates); near != "" {
		return ": did you mean " + strconv.Quote(near) + "?"
	}
	return ""
}
