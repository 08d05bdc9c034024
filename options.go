package ipc

import (
	"log/slog"
	"time"

	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/observe"
)

// ClientOptions adjusts Dial. A nil *ClientOptions means the defaults.
type ClientOptions struct {
	// Timeout is how long a call may take whose context has no earlier
	// deadline. Default 30 s; negative means for ever.
	Timeout time.Duration

	// Interceptors wrap every call, the first one outermost.
	Interceptors []Interceptor

	// OnError is told of what no call returns: a published event that the
	// service refused, and an error that no call waits for. It must not
	// block. Default: logged to Logger.
	OnError func(error)

	// Logger gets what OnError does not. Default slog.Default.
	Logger *slog.Logger

	// Tap is told of every message sent and received. Default none.
	Tap *observe.Tap

	// Dirs are the directories searched for manifests, in order. Default:
	// the search path that docs/manifest.md describes.
	Dirs []string

	// MaxFrame is the longest message sent or received, in bytes.
	// Default 1 MiB, at most 16 MiB − 1.
	MaxFrame int

	// MaxPending is how many calls may be outstanding; further ones wait
	// within their deadline. Default 1,024.
	MaxPending int

	// Methods are what the service may call on this client, by name; see
	// Peer. Each call runs on a goroutine of its own, and at most 1,024 at
	// once. Default none.
	Methods map[string]Handler

	// PingInterval is how long the service may say nothing while something
	// is expected of it (an answer, or events) before it is asked whether it
	// still lives; after two questions without a word the connection counts
	// as lost. Default 30 s; negative means never.
	PingInterval time.Duration

	// Linger is how long a message may wait for others to leave with it in
	// one write. Calls that come together are joined without it; it trades
	// the latency of all for a little processor time where they come one by
	// one. Default 0.
	Linger time.Duration

	// LingerBytes is how much may gather before it leaves at once.
	// Default 64 KiB.
	LingerBytes int
}

func (o *ClientOptions) orDefault() ClientOptions {
	var out ClientOptions
	if o != nil {
		out = *o
	}
	if out.Timeout == 0 {
		out.Timeout = session.DefaultTimeout
	}
	if out.Logger == nil {
		out.Logger = slog.Default()
	}
	if out.OnError == nil {
		logger := out.Logger
		out.OnError = func(err error) { logger.Warn("ipc: "+err.Error(), "code", string(CodeOf(err))) }
	}
	return out
}

// ServiceOptions adjusts NewService. A nil *ServiceOptions means the
// defaults.
type ServiceOptions struct {
	// Interceptors wrap every handler, the first one outermost.
	Interceptors []Interceptor

	// Admit decides who may speak to the service at all. Default: processes
	// of the user that runs the service, and of root, by the kernel's word.
	// Callers that a transport cannot identify (TCP) are refused by it.
	Admit func(Caller) bool

	// Ready is called once when the service can be reached, with the
	// addresses that clients dial.
	Ready func(addresses []string)

	// Logger gets panics of handlers and connections that ended in an error.
	// Default slog.Default.
	Logger *slog.Logger

	// Tap is told of every message sent and received. Default none.
	Tap *observe.Tap

	// MaxConnections is how many clients may be connected; further ones are
	// told QUOTA_EXCEEDED. Default 4,096.
	MaxConnections int

	// MaxInFlight is how many requests of one connection may run at once;
	// further ones are told QUEUE_FULL. Default 1,024.
	MaxInFlight int

	// MaxFrame is the longest message sent or received, in bytes.
	// Default 1 MiB, at most 16 MiB − 1.
	MaxFrame int

	// FrameTimeout is how long a client may take from the first byte of a
	// message to its last. Default 30 s; negative means for ever.
	FrameTimeout time.Duration

	// Linger and LingerBytes are those of ClientOptions, for answers and
	// events. Default 0 and 64 KiB.
	Linger      time.Duration
	LingerBytes int

	// DrainTimeout is how long Serve waits for running requests when its
	// context ends. Default 5 s.
	DrainTimeout time.Duration
}

// The defaults of ServiceOptions.
const (
	DefaultMaxConnections = 4096
	DefaultDrainTimeout   = 5 * time.Second
)

func (o *ServiceOptions) orDefault() ServiceOptions {
	var out ServiceOptions
	if o != nil {
		out = *o
	}
	if out.Logger == nil {
		out.Logger = slog.Default()
	}
	if out.Admit == nil {
		out.Admit = sameUser
	}
	if out.MaxConnections == 0 {
		out.MaxConnections = DefaultMaxConnections
	}
	if out.DrainTimeout == 0 {
		out.DrainTimeout = DefaultDrainTimeout
	}
	return out
}
