package wire

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Executed says whether the request behind a failure was carried out.
type Executed string

// The answers. The empty Executed means that the question does not arise.
const (
	ExecutedNo    Executed = "no"
	ExecutedMaybe Executed = "maybe"
	ExecutedYes   Executed = "yes"
)

// Origin says which party made a failure.
type Origin string

// The parties. A failure found by the receiving library on a direct
// connection has the origin OriginService.
const (
	OriginClient  Origin = "client"
	OriginDaemon  Origin = "daemon"
	OriginService Origin = "service"
	OriginGateway Origin = "gateway"
)

// Error is a failure that survives the wire: a stable code, a message for
// people, and what a program may conclude.
type Error struct {
	Code    Code
	Message string
	Details Details

	// Cause is what lies behind the failure on this side. It is never sent.
	Cause error
}

// Details is what a program may conclude from a failure.
type Details struct {
	Executed   Executed
	Retryable  bool          // the same message may be sent again as it is
	RetryAfter time.Duration // not sooner than this; 0 means unsaid; whole milliseconds on the wire
	Origin     Origin
	Path       string // JSON pointer to the offending value

	// More holds what the code adds, such as limit and actual. Numbers that
	// came over the wire are json.Number. Keys named as the fields above
	// are on the wire are ignored.
	More map[string]any
}

// Errorf returns an error with the code, its defaults from the table of
// codes, and the formatted message. An operand of %w becomes the Cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	e := &Error{
		Code:    code,
		Message: err.Error(),
		Details: Details{Executed: code.Executed(), Retryable: code.Retryable()},
	}
	switch wrapped := err.(type) {
	case interface{ Unwrap() error }:
		e.Cause = wrapped.Unwrap()
	case interface{ Unwrap() []error }:
		e.Cause = err
	}
	return e
}

// Error returns "CODE: message".
func (e *Error) Error() string {
	if e.Message == "" {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Message
}

// Unwrap returns the local cause, if any.
func (e *Error) Unwrap() error {
	if e == nil { // a nil *Error in an error is a mistake, but not one to panic for in CodeOf
		return nil
	}
	return e.Cause
}

// Is reports whether target is e's code, or an *Error without a message that
// has e's code, or the error of package context that stands for e's code: it
// does not matter at which end a deadline was noticed.
func (e *Error) Is(target error) bool {
	if e == nil {
		return false
	}
	switch t := target.(type) {
	case Code:
		return t == e.Code
	case *Error:
		return t != nil && t.Message == "" && t.Code == e.Code
	}
	switch e.Code {
	case CodeDeadlineExceeded:
		return target == context.DeadlineExceeded
	case CodeCancelled:
		return target == context.Canceled
	}
	return false
}

// CodeOf returns the code of err: that of the first *Error or Code in its
// tree, what a context's end stands for, or CodeInternal. It is "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, found := errors.AsType[*Error](err); found && e != nil && e.Code != "" {
		return e.Code
	}
	if code, found := errors.AsType[Code](err); found && code != "" {
		return code
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return CodeDeadlineExceeded
	case errors.Is(err, context.Canceled):
		return CodeCancelled
	}
	return CodeInternal
}
