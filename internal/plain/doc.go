// Package plain knows how far one may go in a JSON text without a closer look:
// to the next character of a string that does not stand for itself, or to the
// end of an object or array that somebody has already found valid. Whoever
// reads, checks, skips or writes JSON asks here, so that much text costs all
// of them about as much as copying it.
//
// A byte is plain when it stands for itself in a JSON string: no quote, no
// backslash, no control character. [ASCII] stops at what is not ASCII as
// well, because somebody has to see whether that is UTF-8; [Text] does not.
package plain
