package main

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/wire"
)

// The exit statuses. Scripts rely on them, so they never change their meaning;
// a new one may be added.
const (
	exitOK          = 0
	exitFailed      = 1   // the service answered with an error; a check found one; a script threw
	exitUsage       = 2   // the command line makes no sense, or names a file that cannot be read
	exitUnreachable = 3   // no such service, or nothing listens at its address
	exitDenied      = 4   // one of the two sides does not trust the other
	exitTimedOut    = 5   // --timeout has passed
	exitUnsettled   = 13  // a script ended with a top-level await that can never settle
	exitInterrupted = 130 // SIGINT
	exitTerminated  = 143 // SIGTERM
)

// exitStatusLine is the footer of every --help.
const exitStatusLine = `0 ok · 1 answered with an error · 2 usage · 3 not found or unreachable
  4 denied · 5 timed out · 13 unsettled await · 130 interrupted · 143 terminated
  (more: ekko-ipc help exit-codes)`

// usageError is a command line that makes no sense.
type usageError struct {
	err     error
	command *cobra.Command // whose usage to show; nil: none
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func asUsage(err error, cmd *cobra.Command) error {
	if _, ok := errors.AsType[*usageError](err); ok {
		return err
	}
	return &usageError{err, cmd}
}

// statusError is a bad end about which everything has been said already: only
// the exit status is left to give.
type statusError int

func (e statusError) Error() string { return "exit status " + strconv.Itoa(int(e)) }

// exitStatus maps an error to the exit status that is promised for it.
func exitStatus(err error) int {
	if err == nil {
		return exitOK
	}
	switch {
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.Is(err, errTerminated):
		return exitTerminated
	}
	if status, ok := errors.AsType[statusError](err); ok {
		return int(status)
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	switch wire.CodeOf(err) {
	case wire.CodeServiceNotFound, wire.CodeServiceUnavailable, wire.CodeServiceDied,
		wire.CodeDaemonUnavailable, wire.CodeRegistryUnavailable, wire.CodeConnectionLost,
		wire.CodeTransportUnsupported, wire.CodeShuttingDown, wire.CodeCircuitOpen:
		return exitUnreachable
	case wire.CodePermissionDenied, wire.CodeUnauthenticated, wire.CodeUntrustedPeer, wire.CodeTLSError:
		return exitDenied
	case wire.CodeDeadlineExceeded, wire.CodeHandshakeTimeout:
		return exitTimedOut
	case wire.CodeInvalidName, wire.CodeInvalidPattern:
		return exitUsage
	case wire.CodeInvalidArgument:
		if e, ok := errors.AsType[*wire.Error](err); ok && e.Details.Origin == wire.OriginClient {
			return exitUsage // no service was asked
		}
	}
	return exitFailed
}
