// Package plain knows how far a text is plain: where, inside a JSON string,
// the next character stands that needs to be looked at. Whoever reads, checks,
// skips or writes strings asks here, so that a long string costs all of them
// about as much as copying it.
//
// A byte is plain when it stands for itself in a JSON string: no quote, no
// backslash, no control character. [ASCII] stops at what is not ASCII as
// well, because somebody has to see whether that is UTF-8; [Text] does not.
package plain
