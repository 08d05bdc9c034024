package ipc

import (
	"errors"
	"io/fs"
	"net"
	"strings"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// Error is a failure with a stable Code. Whether the request behind it was
// carried out, may be sent again, and who made the error is in its Details.
type Error = wire.Error

// Details is what a program may conclude from an Error.
type Details = wire.Details

// Code is the stable name of a failure. It is itself an error, so that
// errors.Is(err, ipc.CodeNotFound) works.
type Code = wire.Code

// Executed says whether the request behind an Error was carried out.
type Executed = wire.Executed

// The answers of Details.Executed.
const (
	ExecutedNo    = wire.ExecutedNo
	ExecutedMaybe = wire.ExecutedMaybe
	ExecutedYes   = wire.ExecutedYes
)

// The codes that programs commonly ask for; the whole table is wire.Codes.
const (
	CodeInvalidArgument    = wire.CodeInvalidArgument
	CodeNotFound           = wire.CodeNotFound
	CodeAlreadyExists      = wire.CodeAlreadyExists
	CodeConflict           = wire.CodeConflict
	CodeAppError           = wire.CodeAppError
	CodeServiceNotFound    = wire.CodeServiceNotFound
	CodeServiceUnavailable = wire.CodeServiceUnavailable
	CodeMethodNotFound     = wire.CodeMethodNotFound
	CodeChannelNotFound    = wire.CodeChannelNotFound
	CodeSchemaMismatch     = wire.CodeSchemaMismatch
	CodePermissionDenied   = wire.CodePermissionDenied
	CodeUnauthenticated    = wire.CodeUnauthenticated
	CodeDeadlineExceeded   = wire.CodeDeadlineExceeded
	CodeCancelled          = wire.CodeCancelled
	CodeConnectionLost     = wire.CodeConnectionLost
	CodeShuttingDown       = wire.CodeShuttingDown
	CodeQueueFull          = wire.CodeQueueFull
	CodeOverloaded         = wire.CodeOverloaded
	CodeHandlerFailed      = wire.CodeHandlerFailed
	CodeUnimplemented      = wire.CodeUnimplemented
	CodeInternal           = wire.CodeInternal
	CodeTLSError           = wire.CodeTLSError
)

// ErrClosed is the cause of what a closed Client, Service or Subscription
// answers.
var ErrClosed = net.ErrClosed

// Errorf returns an *Error with the code and its defaults. A handler returns
// one to answer with a code; its codes are those that services may use:
// CodeInvalidArgument, CodeNotFound, CodeAlreadyExists, CodeConflict,
// CodeAppError, CodeUnimplemented, and any that begins with "APP_".
func Errorf(code Code, format string, args ...any) *Error {
	return wire.Errorf(code, format, args...)
}

// CodeOf returns the code of err: "" for nil, CodeInternal for an error that
// has none.
func CodeOf(err error) Code { return wire.CodeOf(err) }

// unsent is err as the error of what this side has not even sent.
func unsent(err error) *Error {
	e := asError(err)
	e.Details.Executed, e.Details.Origin = wire.ExecutedNo, wire.OriginClient
	return e
}

// dialError translates an error of the transport, once, into what callers
// see. name is the service's, or its address where it has no name.
func dialError(name, address string, err error) error {
	var coded *Error
	if errors.As(err, &coded) {
		return err
	}
	e := wire.Errorf(wire.CodeServiceUnavailable, "%s cannot be reached at %s: %w", name, address, err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		e = wire.Errorf(wire.CodePermissionDenied, "%s at %s belongs to another user, who does not let you in: %w", name, address, err)
	case errors.Is(err, transport.ErrUntrustedPeer), errors.Is(err, transport.ErrUntrustedPath):
		e = wire.Errorf(wire.CodeUntrustedPeer, "%s at %s is run by somebody else: %w", name, address, err)
	case isTLS(err):
		e = wire.Errorf(wire.CodeTLSError, "%s cannot be trusted, or does not trust you, at %s: %w", name, address, err)
	case errors.Is(err, transport.ErrUnsupported), errors.Is(err, transport.ErrNotLoopback):
		e = wire.Errorf(wire.CodeTransportUnsupported, "%s cannot be reached at %s: %w", name, address, err)
	case errors.Is(err, transport.ErrInvalidAddress):
		e = wire.Errorf(wire.CodeInvalidArgument, "%s is no address: %w", address, err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, transport.ErrRefused):
		e = wire.Errorf(wire.CodeServiceUnavailable, "%s is not running: nothing listens at %s; start it and try again", name, address)
		e.Cause = err
	}
	e.Details.Origin = wire.OriginClient
	return e
}

// isTLS reports whether TLS failed for a reason that does not pass by itself.
func isTLS(err error) bool {
	e, ok := errors.AsType[*transport.TLSError](err)
	return ok && e.Reason != transport.TLSTimeout
}

// handlerError turns what a handler returned into what its caller may see: a
// service must not be able to speak for the library, so it keeps only the
// codes that services may use.
func handlerError(err error, ctxErr error, came way, sameUser bool) *Error {
	e, coded := errors.AsType[*Error](err)
	if !coded {
		if code, ok := errors.AsType[Code](err); ok {
			e, coded = wire.Errorf(code, "%s", strings.TrimPrefix(err.Error(), string(code)+": ")), true
		}
	}
	if coded && e.Details.Origin != "" {
		e = passedOn(e)
	}
	if coded && came == wayReturned && e.Details.Executed == wire.ExecutedNo {
		done := *e // an interceptor refuses what has been done
		done.Details.Executed = wire.ExecutedYes
		e = &done
	}
	switch {
	case coded && mayAnswer(e.Code):
		return e
	case ctxErr != nil && errors.Is(err, ctxErr):
		code := wire.CodeOf(ctxErr)
		e = wire.Errorf(code, "the handler gave up: %w", err)
		e.Details.Executed = wire.ExecutedMaybe
		return e
	case coded:
		app := wire.Errorf(wire.CodeAppError, "%s", e.Message)
		app.Details.More = map[string]any{"original": string(e.Code)}
		if came == wayOutside {
			app.Details.Executed = e.Details.Executed // an interceptor's refusal stays one
		}
		return app
	case sameUser:
		return wire.Errorf(wire.CodeHandlerFailed, "%w", err)
	}
	// Another user's process is not told what went wrong inside.
	return wire.Errorf(wire.CodeHandlerFailed, "the handler failed; the service's log says why")
}

// passedOn is e as the answer of a handler that got it from a call of its own:
// what that call did or did not do says nothing about what the handler did.
func passedOn(e *Error) *Error {
	own := *e
	own.Details.Origin = ""
	own.Details.Retryable, own.Details.RetryAfter = false, 0
	if own.Details.Executed != wire.ExecutedYes {
		own.Details.Executed = wire.ExecutedMaybe
	}
	return &own
}

// mayAnswer reports whether a service's handler may answer with code.
func mayAnswer(code Code) bool {
	switch code {
	case wire.CodeInvalidArgument, wire.CodeNotFound, wire.CodeAlreadyExists, wire.CodeConflict,
		wire.CodeSchemaMismatch, wire.CodeResponseSchemaMismatch, wire.CodeUnimplemented, wire.CodeHandlerFailed, wire.CodeAppError:
		return true
	}
	return code.IsApp()
}
