package manifest

import "regexp"

// shape is what a text has to look like. Its length is not part of the
// expression: counted repetitions make one that takes a millisecond to
// compile, which every program would pay at its start.
type shape struct {
	expr *regexp.Regexp
	max  int // bytes
}

func (s shape) fits(text string) bool { return len(text) <= s.max && s.expr.MatchString(text) }
