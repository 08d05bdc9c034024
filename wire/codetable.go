package wire

// CodeInfo is a row of the table of codes, as the documentation prints it.
type CodeInfo struct {
	Code      Code
	Meaning   string
	Executed  Executed // the default of an error with this code; "" where the question does not arise
	Retryable string   // whether, and on what condition, sending it again makes sense
	MadeBy    string   // who may make it: client, daemon (whoever receives first), service

	retryable bool // the default of Details.Retryable
}

// Codes returns the table of all codes. The caller owns the slice.
func Codes() []CodeInfo { return append([]CodeInfo(nil), codeRows...) }

var codeTable = func() map[Code]CodeInfo {
	table := make(map[Code]CodeInfo, len(codeRows))
	for _, row := range codeRows {
		table[row.Code] = row
	}
	return table
}()

// Where a code leaves open whether the request was executed, the default is
// ExecutedMaybe: whoever knows better says so.
var codeRows = []CodeInfo{
	{CodeMalformedMessage, "bad JSON, bad UTF-8, a duplicate member, a missing field", ExecutedNo, "no", "daemon", false},
	{CodeMessageTooLarge, "over the limit of frame, depth, members or tokens", ExecutedNo, "no", "client, daemon", false},
	{CodeProtocolError, "wrong state, unknown message type, an id used again", ExecutedNo, "no", "daemon", false},
	{CodeUnsupportedVersion, "no common protocol version", ExecutedNo, "no", "client, daemon", false},
	{CodeUnauthenticated, "no identity, or one that failed or expired", ExecutedNo, "after authenticating again", "daemon", false},
	{CodePermissionDenied, "not allowed, or not there and the caller may not know", ExecutedNo, "no", "daemon", false},
	{CodeHandshakeTimeout, "authentication was not finished in time", ExecutedNo, "yes", "daemon", true},
	{CodeServiceNotFound, "no service of this name", ExecutedNo, "no", "daemon, service", false},
	{CodeMethodNotFound, "the service has no such method", ExecutedNo, "no", "daemon, service", false},
	{CodeChannelNotFound, "no channel or event of this name", ExecutedNo, "no", "daemon, service", false},
	{CodeServiceUnavailable, "registered, but no healthy instance", ExecutedNo, "yes", "daemon", true},
	{CodeServiceVersionMismatch, "only other versions of the service are there", ExecutedNo, "no", "daemon", false},
	{CodeInvalidArgument, "the handler rejects a value, or the method takes no such idempotencyKey", ExecutedNo, "no", "client, daemon, service", false},
	{CodeSchemaMismatch, "the request does not fit the declared schema", ExecutedNo, "no", "client, daemon, service", false},
	{CodeResponseSchemaMismatch, "the service answered against its own schema", ExecutedYes, "no", "client, daemon", false},
	{CodeDeadlineExceeded, "the deadline passed: queued, it did not run; dispatched, it may have", ExecutedMaybe, "if idempotent", "client, daemon", false},
	{CodeCancelled, "the caller cancelled", ExecutedMaybe, "as the caller likes", "client", false},
	{CodeServiceDied, "the instance vanished after dispatch", ExecutedMaybe, "if idempotent", "daemon", false},
	{CodeConnectionLost, "the own link broke with the call outstanding", ExecutedMaybe, "if idempotent", "client", false},
	{CodeDaemonUnavailable, "cannot connect", ExecutedNo, "yes, with backoff", "client", true},
	{CodeRegistryUnavailable, "the lookup is impossible and no fresh answer is cached", ExecutedNo, "yes", "client, daemon", true},
	{CodeShuttingDown, "the service is draining and did not start it", ExecutedNo, "yes, elsewhere", "daemon, service", true},
	{CodeQueueFull, "the service's queue is full", ExecutedNo, "yes, after retryAfterMs", "daemon", true},
	{CodeOverloaded, "more comes than is done, or the answer would come too late", ExecutedNo, "yes, after retryAfterMs", "daemon", true},
	{CodeRateLimited, "this caller's rate is used up", ExecutedNo, "yes", "daemon", true},
	{CodeQuotaExceeded, "connections, subscriptions, names or bytes of this user are used up", ExecutedNo, "after a release", "daemon", false},
	{CodeCircuitOpen, "the breaker is open", ExecutedNo, "yes", "client, daemon", true},
	{CodeSlowConsumer, "the subscriber was closed for not keeping up", "", "subscribe again", "daemon", false},
	{CodeNameTaken, "the name belongs to another", ExecutedNo, "no", "daemon", false},
	{CodeLeaseLost, "the registration was fenced off", ExecutedNo, "no", "daemon", false},
	{CodeInvalidName, "a name against the grammar", ExecutedNo, "no", "client, daemon", false},
	{CodeInvalidPattern, "a pattern against the grammar", ExecutedNo, "no", "client, daemon", false},
	{CodeAlreadyExists, "the application's object exists", ExecutedNo, "no", "service", false},
	{CodeNotFound, "the application's object does not exist", ExecutedNo, "no", "service", false},
	{CodeConflict, "the application's object was changed meanwhile, or the idempotencyKey belongs to another call", ExecutedNo, "no", "daemon, service", false},
	{CodeStorageFull, "quota or disk is full", ExecutedNo, "later", "daemon", false},
	{CodeStorageUnavailable, "the store restarts, failed, or could not confirm: publish again with the same messageId", ExecutedMaybe, "yes", "daemon", true},
	{CodeDuplicate, "the same messageId is stored already", ExecutedYes, "no need", "daemon", false},
	{CodeCursorInvalid, "the epoch changed or the message expired", "", "start from firstAvailable", "daemon", false},
	{CodeDataLoss, "the store is shorter than what was acknowledged", "", "by the operator", "daemon", false},
	{CodeTransportUnsupported, "the platform lacks the transport, or the message does not fit it", ExecutedNo, "on another transport", "client, daemon", false},
	{CodeTLSError, "the certificate or its name is not the expected one", ExecutedNo, "no", "client", false},
	{CodeUntrustedPeer, "the socket's owner is not the expected one", ExecutedNo, "no", "client", false},
	{CodeHandlerFailed, "the handler failed or panicked", ExecutedMaybe, "no", "daemon, service", false},
	{CodeAppError, "the service's own failure; so is every APP_ code", ExecutedYes, "as the service says", "service", false},
	{CodeUnimplemented, "the feature is not built in", ExecutedNo, "no", "daemon, service", false},
	{CodeInternal, "a fault of ours", ExecutedMaybe, "no", "client, daemon, service", false},
}
