package ipc

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/ekkojs/ipc/observe"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/transport"
)

// TLSOptions says by which files a connection over TLS is secured, in
// ClientOptions and ServiceOptions.
type TLSOptions = transport.TLSOptions

// ClientOptions adjusts Dial. A nil *ClientOptions means the defaults.
type ClientOptions struct {
	// Timeout is how long a call may take whose context has no earlier
	// deadline. A method's "timeout" in the manifest takes its place where
	// that is shorter, or where Timeout is not set. Default 30 s; negative
	// means for ever.
	Timeout time.Duration

	// Interceptors wrap every call, the first one outermost.
	Interceptors []Interceptor

	// OnError is told of what no call returns: that the service refused a
	// published event. It must not block. Default: logged to Logger.
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

	// TLS says whom to believe at an address of the form tls:HOST:PORT, and
	// which certificate to show there. What it leaves open is filled by the
	// environment (EKKO_IPC_TLS_CA, EKKO_IPC_TLS_CERT, EKKO_IPC_TLS_KEY) and
	// then by the manifest, but for the certificate: the one in the manifest
	// is the service's. Default: the system's authorities, none to show.
	TLS *TLSOptions

	// InsecureTCP lets addresses of the form tcp:IP:PORT lead off this
	// machine. Everybody on the way can read and change what is said there.
	InsecureTCP bool

	// MaxRetries is how many times one call may be sent again, within its
	// deadline: after an error that says that it was not executed and may be
	// repeated, and, if it is idempotent, after its connection was lost.
	// Retries also have a budget of one for ten calls; see docs/errors.md.
	// Default 2; negative means none.
	MaxRetries int
}

func (o *ClientOptions) orDefault() ClientOptions {
	var out ClientOptions
	if o != nil {
		out = *o
	}
	if out.MaxRetries == 0 {
		out.MaxRetries = DefaultMaxRetries
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
	// of the user that runs the service, and of root, by the kernel's word;
	// and over TLS that demands certificates of clients (ClientCert) whoever
	// has one, since whom its authorities vouch for is the operator's choice.
	// Callers that a transport cannot identify (TCP, TLS without that) are
	// refused by it.
	Admit func(Caller) bool

	// TLS says by which files addresses of the form tls:HOST:PORT are
	// secured; what it leaves open, the manifest fills.
	TLS *TLSOptions

	// AllowHosts are the addresses from which clients may connect to ports.
	// Default: any; with InsecureTCP loopback only.
	AllowHosts []netip.Prefix

	// InsecureTCP lets the service listen at tcp:IP:PORT for other machines.
	// Everybody on the way can read and change what is said there.
	InsecureTCP bool

	// Ready is called once when the service can be reached, with the
	// addresses that clients dial.
	Ready func(addresses []string)

	// Logger gets panics of handlers and connections that ended in an error.
	// Default slog.Default.
	Logger *slog.Logger

	// Tap is told of every message sent and received. Default none.
	Tap *observe.Tap

	// MaxConnections is how many clients may be connected; further ones are
	// told QUOTA_EXCEEDED. Default: the maxConnections of the manifest's
	// transport, or else 4,096.
	MaxConnections int

	// MaxInFlight is how many requests of one connection may run, or wait
	// for one of the limits below, at once; further ones are told
	// QUEUE_FULL. Default 1,024.
	MaxInFlight int

	// MaxConcurrent is how many handlers may run at once, for all
	// connections together; further requests wait. For handlers that compute
	// a few times runtime.GOMAXPROCS is a good number. Default 8,192. What
	// one method may have of that is its "concurrency" in the manifest.
	MaxConcurrent int

	// MaxQueued is how many requests may wait for MaxConcurrent, and for
	// each method that has a limit of its own; further ones are told
	// QUEUE_FULL, as are those for which 64 MiB in all would not suffice.
	// Default 1,024; negative means that none waits.
	MaxQueued int

	// QueueDelay is how long a request may have to wait while work keeps
	// coming faster than it is done; above that, requests are told
	// OVERLOADED when they come. A burst may make them wait for longer, and
	// so may methods that run long: four times their mean run is always
	// allowed. Default 1 s; negative means that only a caller's own deadline
	// counts.
	QueueDelay time.Duration

	// DedupeWindow is how long the outcome of a request with an idempotency
	// key is kept for those who send it again. Up to 10,000 outcomes and
	// 16 MiB are. Default 2 min; negative means that it is given to those
	// only who wait for it already.
	DedupeWindow time.Duration

	// Store keeps the events of channels that are persistent. Serve fails if
	// there are any and this is nil. It is the caller's to close, after
	// Serve has returned.
	Store store.Store

	// MaxHeldPerUser is how many bytes of events may wait for the clients of
	// one user together, and MaxHeld for all. An event that waits for
	// several costs each its share. Who is over it loses the oldest of his
	// own; the last quarter is for subscribers that hold less than 16 KiB,
	// so that who reads loses nothing to those who do not. Defaults 64 MiB
	// and 512 MiB.
	MaxHeldPerUser int64
	MaxHeld        int64

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
	DefaultMaxConcurrent  = 8192
	DefaultMaxQueued      = 1024

	// MaxQueuedBytes is how much memory the requests of all clients that
	// wait may take.
	MaxQueuedBytes = 64 << 20
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
		out.Admit = identified
	}
	if out.DrainTimeout == 0 {
		out.DrainTimeout = DefaultDrainTimeout
	}
	if out.MaxConcurrent <= 0 {
		out.MaxConcurrent = DefaultMaxConcurrent
	}
	if out.MaxQueued == 0 {
		out.MaxQueued = DefaultMaxQueued
	}
	if out.QueueDelay == 0 {
		out.QueueDelay = DefaultQueueDelay
	}
	if out.MaxHeldPerUser <= 0 {
		out.MaxHeldPerUser = DefaultMaxHeldPerUser
	}
	if out.MaxHeld <= 0 {
		out.MaxHeld = DefaultMaxHeld
	}
	if out.DedupeWindow == 0 {
		out.DedupeWindow = DefaultDedupeWindow
	}
	return out
}

// SubscribeOptions adjusts Subscribe. A nil *SubscribeOptions means the
// defaults.
type SubscribeOptions struct {
	// Queue is how many events wait for a reader that is busy, before the
	// oldest are dropped. The reader has as many more in hand. Default 4,096.
	Queue int

	// QueueBytes is the same in bytes of data. Default 8 MiB.
	QueueBytes int

	// From is where the subscription begins. Default with the next event.
	From From

	// Filter leaves out the events whose data does not pass it, at the
	// service: `total > 100 && country == "DE"`. See docs/events.md. Default
	// none.
	Filter string

	// Group makes the subscription one of several members of a group, each
	// event of which goes to one member and has to be acknowledged
	// (Event.Ack). What is not, comes again. The channel must be a queue or
	// persistent. Default none; of a queue, the group "default".
	Group string

	// Durable is a name under which the service remembers what has been
	// acknowledged, so that the subscription goes on there whenever it comes
	// back. There is one subscriber of a name: a new one takes over. The
	// channel must be persistent. Default none.
	Durable string

	// Credit is how many events may be unacknowledged. Default 100, at most
	// 1,000.
	Credit int

	// Limit is how many events are wanted in all: after them Next returns
	// ErrClosed. Of a group no more are taken from the other members, not
	// even by the last acknowledgement; what has been taken may be
	// acknowledged until Close. Default no end.
	Limit int

	// AckWait is how long an event may stay unacknowledged before it is
	// given to somebody else; each member of a group has its own. Default
	// 30 s.
	AckWait time.Duration

	// Disconnect ends the subscription with SLOW_CONSUMER at the service
	// when it does not keep up, instead of dropping the oldest events.
	Disconnect bool
}

// The defaults of SubscribeOptions.
const (
	DefaultQueue      = 4096
	DefaultQueueBytes = 8 << 20
)

func (o *SubscribeOptions) orDefault() SubscribeOptions {
	var out SubscribeOptions
	if o != nil {
		out = *o
	}
	if out.Queue <= 0 {
		out.Queue = DefaultQueue
	}
	if out.QueueBytes <= 0 {
		out.QueueBytes = DefaultQueueBytes
	}
	return out
}
