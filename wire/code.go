package wire

import "strings"

// Code is the stable name of a failure, in UPPER_SNAKE. It is itself an
// error, so that errors.Is(err, wire.CodeNotFound) works.
type Code string

// Error returns the code's text.
func (c Code) Error() string { return string(c) }

// The codes. What each one means, and what may be concluded from it, is in
// the table that Codes returns.
const (
	CodeMalformedMessage       Code = "MALFORMED_MESSAGE"
	CodeMessageTooLarge        Code = "MESSAGE_TOO_LARGE"
	CodeProtocolError          Code = "PROTOCOL_ERROR"
	CodeUnsupportedVersion     Code = "UNSUPPORTED_VERSION"
	CodeUnauthenticated        Code = "UNAUTHENTICATED"
	CodePermissionDenied       Code = "PERMISSION_DENIED"
	CodeHandshakeTimeout       Code = "HANDSHAKE_TIMEOUT"
	CodeServiceNotFound        Code = "SERVICE_NOT_FOUND"
	CodeMethodNotFound         Code = "METHOD_NOT_FOUND"
	CodeChannelNotFound        Code = "CHANNEL_NOT_FOUND"
	CodeServiceUnavailable     Code = "SERVICE_UNAVAILABLE"
	CodeServiceVersionMismatch Code = "SERVICE_VERSION_MISMATCH"
	CodeInvalidArgument        Code = "INVALID_ARGUMENT"
	CodeSchemaMismatch         Code = "SCHEMA_MISMATCH"
	CodeResponseSchemaMismatch Code = "RESPONSE_SCHEMA_MISMATCH"
	CodeDeadlineExceeded       Code = "DEADLINE_EXCEEDED"
	CodeCancelled              Code = "CANCELLED"
	CodeServiceDied            Code = "SERVICE_DIED"
	CodeConnectionLost         Code = "CONNECTION_LOST"
	CodeDaemonUnavailable      Code = "DAEMON_UNAVAILABLE"
	CodeRegistryUnavailable    Code = "REGISTRY_UNAVAILABLE"
	CodeShuttingDown           Code = "SHUTTING_DOWN"
	CodeQueueFull              Code = "QUEUE_FULL"
	CodeOverloaded             Code = "OVERLOADED"
	CodeRateLimited            Code = "RATE_LIMITED"
	CodeQuotaExceeded          Code = "QUOTA_EXCEEDED"
	CodeCircuitOpen            Code = "CIRCUIT_OPEN"
	CodeSlowConsumer           Code = "SLOW_CONSUMER"
	CodeNameTaken              Code = "NAME_TAKEN"
	CodeLeaseLost              Code = "LEASE_LOST"
	CodeInvalidName            Code = "INVALID_NAME"
	CodeInvalidPattern         Code = "INVALID_PATTERN"
	CodeAlreadyExists          Code = "ALREADY_EXISTS"
	CodeNotFound               Code = "NOT_FOUND"
	CodeConflict               Code = "CONFLICT"
	CodeStorageFull            Code = "STORAGE_FULL"
	CodeStorageUnavailable     Code = "STORAGE_UNAVAILABLE"
	CodeDuplicate              Code = "DUPLICATE"
	CodeCursorInvalid          Code = "CURSOR_INVALID"
	CodeDataLoss               Code = "DATA_LOSS"
	CodeTransportUnsupported   Code = "TRANSPORT_UNSUPPORTED"
	CodeTLSError               Code = "TLS_ERROR"
	CodeUntrustedPeer          Code = "UNTRUSTED_PEER"
	CodeHandlerFailed          Code = "HANDLER_FAILED"
	CodeAppError               Code = "APP_ERROR"
	CodeUnimplemented          Code = "UNIMPLEMENTED"
	CodeInternal               Code = "INTERNAL"
)

// AppPrefix begins the codes that a service may invent.
const AppPrefix = "APP_"

// IsApp reports whether c is one of a service's own codes: AppPrefix and at
// least one more character, in UPPER_SNAKE.
func (c Code) IsApp() bool {
	rest, found := strings.CutPrefix(string(c), AppPrefix)
	return found && upperSnake(rest)
}

// Known reports whether c is in the table of codes or one of a service's own.
func (c Code) Known() bool {
	_, found := codeTable[c]
	return found || c.IsApp()
}

// Executed returns what c says of the request when its maker says nothing
// more: where the table leaves two answers open, the careful one.
func (c Code) Executed() Executed {
	if row, found := codeTable[c]; found {
		return row.Executed
	}
	if c.IsApp() {
		return ExecutedYes
	}
	return ExecutedMaybe
}

// Retryable reports whether the same message may be sent again, as it is and
// without further thought, after a failure with code c.
func (c Code) Retryable() bool { return codeTable[c].retryable }

func upperSnake(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != ""
}
