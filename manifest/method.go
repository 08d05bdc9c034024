package manifest

import "time"

// Method is one thing that may be asked of a service.
type Method struct {
	Name        string
	Description string
	// Parameters in the order of the call. Nil when the manifest does not
	// declare them, and then any arguments are taken; empty but not nil for
	// a method that takes none.
	Parameters []*Parameter
	// Returns is nil when the manifest does not declare a result, and then
	// any result is taken.
	Returns *Returns
	// Async is the author's note that the method answers later than at once.
	// Every call is asynchronous to its caller, so nothing depends on it.
	Async bool
	// Timeout of one call; 0 means the caller's default.
	Timeout time.Duration
	// Idempotent methods may be repeated after a failure that leaves open
	// whether they ran.
	Idempotent bool
	// Cache is nil when answers must not be kept.
	Cache *Cache
	// Permissions are roles of which the caller needs one; empty: everyone.
	Permissions []string
	Stream      Stream
	// Items is the type of what the caller streams; nil when the manifest
	// does not declare it, and then any items are taken.
	Items *Type
	// Concurrency is how many calls of this method may run at once; 0 means
	// no limit of its own.
	Concurrency int
	// Deprecated is why the method should not be used any more, empty while
	// it should.
	Deprecated string
	// Errors are the codes that the method answers by design.
	Errors []MethodError

	required uint64 // bit set of the positions of required parameters
}

// Parameter is one argument of a method.
type Parameter struct {
	Name        string
	Description string
	Type        *Type
	// Required parameters must be given. A parameter is required unless the
	// manifest says otherwise, gives a default, or its type ends in "?".
	Required bool
	// Default is the JSON to put in place of an absent argument, nil if there
	// is none.
	Default []byte
	// Validation is the JSON Schema that the argument must meet besides its
	// type, nil if there is none.
	Validation []byte

	validation *schema
	takesNull  bool // null fits the type
}

// Returns is what a method answers.
type Returns struct {
	Description string
	// Type of the result; of each item when the method streams to its caller.
	Type *Type
	// Nullable results may be null or absent: declared so, or the type is one
	// that null fits anyway.
	Nullable bool
}

// Cache says how long a caller may keep an answer.
type Cache struct {
	TTL time.Duration
	// Key names the parameters that tell one answer from another; empty: all.
	Key []string
}

// Stream says which side of a call sends many values instead of one.
type Stream string

// The ways of streaming.
const (
	StreamNone   Stream = ""
	StreamServer Stream = "server"
	StreamClient Stream = "client"
	StreamBoth   Stream = "both"
)

// MethodError is a failure that a method answers by design.
type MethodError struct {
	Code        string // APP_… or one of the codes a service may send
	Description string
}
