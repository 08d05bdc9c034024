// Package place tells whether a directory is one where nobody else can decide
// what is found in it.
package place

import "fmt"

// Rule says what a directory has to be like. The zero Rule asks of an existing
// one that it and all above it belong to this user or to root, and can be
// written by nobody else.
type Rule struct {
	Create  bool // make what is missing, for this user only
	Durable bool // make certain that what was made is there after a power cut
	Private bool // the directory must be closed to others, not just safe
	Shared  bool // a directory above it may be everybody's, if sticky as /tmp is
	Alone   bool // nothing is asked of the directories above it
}

// Fault says why a directory is not safe. Any other error of Check is the file
// system's.
type Fault struct{ Path, Why string }

// Error returns the path and what is wrong with it.
func (f *Fault) Error() string { return fmt.Sprintf("%s %s", f.Path, f.Why) }
