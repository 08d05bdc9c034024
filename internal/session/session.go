// Package session speaks with one peer: it turns a transport's frames into
// requests, answers and events, in both directions at once. Both ends of a
// connection run the same engine; a service may call its client. It knows
// envelopes, not methods.
//
// # Who reads
//
// On a client no goroutine waits on the connection while calls come one at a
// time: the caller that waits for an answer reads the socket itself, hands
// the answers of others on as it meets them, and passes the role of the
// reader to another waiting caller when it has its own. A goroutine of its
// own takes the role while there are subscriptions, while many calls are
// outstanding, and after a moment of idleness (to see the peer leave). That
// saves waking a second goroutine for each answer, which costs as much as the
// round trip.
//
// On a service one goroutine reads and runs the handlers itself. When a
// handler has not returned within about a millisecond, the watchdog hands the
// reading to a fresh goroutine, and the one in the handler ends with it. A
// quick handler thus costs no goroutine switch, and a slow one delays nobody
// for longer than that.
//
// # Who writes
//
// Whoever appends to an idle outbox becomes the flusher and writes until the
// outbox is empty; what others append meanwhile leaves in the same system
// call. The flusher never waits for the socket: what it does not take at once
// is left to a goroutine that does.
//
// A long message is not copied into the outbox: it is written from the Text in
// which it was encoded.
//
// # Who stops
//
// A reader of a stream grants credit as it takes items, so that a sender waits
// for its own reader and for nobody else's: see Stream. A service that ends
// says so before and after it answers what runs: see Drain.
//
// # Locks
//
// One mutex guards all the state of a session. It is taken before the locks
// of a Source, and never held while user code runs or while bytes move.
package session

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc/observe"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// Handler is what a session does with the messages that its peer begins.
type Handler interface {
	// Request handles a request, a subscribe or an unsubscribe, and answers
	// it through in. It runs on the goroutine that reads if Options.Inline
	// is set, else on one of its own. What in holds is valid until it
	// returns.
	Request(in *Inbound)

	// Event handles an event. It runs on the goroutine that reads and must
	// not block. What in holds is valid until it returns.
	Event(in *Inbound)

	// Stray is told of an error that no call waits for: the peer's refusal
	// of an event. It must not block.
	Stray(correlationID []byte, err *wire.Error)
}

// Source has frames of its own to send, such as the events of a hub. They are
// asked for when the connection takes them.
type Source interface {
	// Pending reports whether AppendTo would append something.
	Pending() bool
	// AppendTo appends waiting frames, each after its length as four bytes
	// little-endian, until about max bytes.
	AppendTo(dst []byte, max int) []byte
}

// Options adjusts a session. Zero fields mean the defaults.
type Options struct {
	// Inline makes this end a service: a goroutine reads from the start and
	// runs the handlers itself. Watchdog must be set then.
	Inline   bool
	Watchdog *Watchdog

	// Limits of the messages received. Default wire.DefaultLimits.
	Limits *wire.Limits

	// MaxFrame is the longest frame this end sends, in bytes. Default 1 MiB.
	MaxFrame int

	// MaxPending is how many calls may be outstanding; further ones wait for
	// a place within their deadline. Default 1,024.
	MaxPending int

	// MaxInFlight is how many requests of the peer may run at once beside
	// the reading goroutine; further ones are answered QUEUE_FULL.
	// Default 1,024.
	MaxInFlight int

	// MaxOutbox is how many bytes may wait to be written before the session
	// gives up on a peer that does not read. Default 8 MiB.
	MaxOutbox int

	// Timeout is the deadline of a request that states none, here and at the
	// peer. Default 30 s.
	Timeout time.Duration

	// PingInterval is how long the peer may be silent while something is
	// expected of it before it is asked whether it lives. Negative: for ever,
	// and so it is for a service, whose clients need not answer requests.
	// Default 30 s.
	PingInterval time.Duration

	// Linger is how long a message may wait for others to leave with it,
	// unless LingerBytes have gathered. Default 0 and 64 KiB.
	Linger      time.Duration
	LingerBytes int

	// Origin is what this end calls itself in the errors it makes.
	Origin wire.Origin

	// Tap is told of every message. Peer names the other end in its events.
	Tap  *observe.Tap
	Peer string

	// Closed is called once when the session has ended; err is nil when this
	// end closed it. It must not wait for the session.
	Closed func(err error)
}

// The defaults of Options and the bounds derived from them.
const (
	DefaultMaxPending  = 1024
	DefaultMaxInFlight = 1024
	DefaultMaxOutbox   = 8 << 20
	DefaultTimeout     = 30 * time.Second

	DefaultPingInterval = 30 * time.Second
	DefaultLingerBytes  = 64 << 10

	// MaxTimeout is the longest deadline a request may ask for.
	MaxTimeout = 10 * time.Minute

	// maxMalformed is how many malformed messages a peer may send before it
	// is hung up on: enough for a person at a keyboard, too few for a fuzzer.
	maxMalformed = 16
)

func (o *Options) setDefaults() {
	if o.Limits == nil {
		o.Limits = &wire.DefaultLimits
	}
	if o.MaxFrame == 0 {
		o.MaxFrame = transport.DefaultMaxFrame
	}
	if o.MaxPending == 0 {
		o.MaxPending = DefaultMaxPending
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = DefaultMaxInFlight
	}
	if o.MaxOutbox == 0 {
		o.MaxOutbox = DefaultMaxOutbox
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Origin == "" {
		o.Origin = wire.OriginClient
	}
	if o.PingInterval == 0 {
		o.PingInterval = DefaultPingInterval
	}
	if o.Inline {
		o.PingInterval = -1
	}
	if o.LingerBytes == 0 {
		o.LingerBytes = DefaultLingerBytes
	}
}

// Session is one connection to a peer. Its methods may be called at any time
// from any goroutine.
type Session struct {
	conn    transport.Conn
	handler Handler
	opts    Options
	epoch   time.Time // deadlines are durations since then, on the monotonic clock
	done    chan struct{}
	workers sync.WaitGroup // every goroutine of the session

	malformed atomic.Int32           // messages of the peer that could not be read
	late      atomic.Int64           // answers that came after their call was given up
	frames    atomic.Uint64          // ever received
	reader    atomic.Pointer[reader] // service: whose turn it is to read
	broken    atomic.Bool            // takes no more messages; it may still be read
	draining  atomic.Bool            // no request of the peer is begun any more

	mu      sync.Mutex // guards all below
	ended   bool
	err     error       // why it ended; nil when this end closed it
	verdict *wire.Error // the peer's word on all that it has not answered; nil: none
	outbox  outbox
	calls   calls
	pings   pings
	role    role
	keep    int         // reasons to keep a goroutine reading: subscriptions
	idle    *time.Timer // client: puts a goroutine to the connection when no call does
	pulse   uint64      // calls begun; what idle compares
	seen    uint64      // pulse at the last tick of idle

	source   Source
	inFlight map[string]*Inbound   // requests of the peer that left the reading goroutine, by id
	unnamed  int                   // those of them that brought no id
	contexts map[*Context]struct{} // contexts that somebody waits on
	deaf     bool                  // the peer sends no more, but still reads

	// What belongs to whoever reads for a client.
	shape      wire.Shape // of the last event, so that the next one is read quickly
	shaped     bool       // scratch holds an event of that shape
	scratch    *Inbound   // the message just received; a service has it in its reader
	collecting *answers   // where roleDedicated keeps the answers of one read; nil in other roles
}

// New starts a session on conn, which it owns from now on.
func New(conn transport.Conn, handler Handler, opts Options) *Session {
	opts.setDefaults()
	s := &Session{
		conn:    conn,
		handler: handler,
		opts:    opts,
		epoch:   time.Now(),
		done:    make(chan struct{}),
	}
	s.outbox.room.L = &s.mu
	s.mu.Lock()
	defer s.mu.Unlock()
	if opts.Inline {
		s.role = roleService
		s.goLocked(func() { s.serve(&reader{s: s}, false) })
	} else {
		s.scratch = new(Inbound)
		s.idle = time.AfterFunc(idleAfter, s.watchIdle)
	}
	return s
}

// SetSource gives the session frames to send besides its own. It is set once,
// before the source has anything; Kick says that it has.
func (s *Session) SetSource(source Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.source = source
}

// Conn returns the connection, for its Peer.
func (s *Session) Conn() transport.Conn { return s.conn }

// Done returns a channel that is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Broken reports whether the session takes no more messages. It ends soon, if
// it has not ended already.
func (s *Session) Broken() bool { return s.broken.Load() }

// Err returns why the session ended: nil while it lives and when this end
// closed it.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Late returns how many answers came too late for their calls.
func (s *Session) Late() int64 { return s.late.Load() }

// Close writes what is still in the outbox, within the write deadline of the
// connection, ends the session and waits until its goroutines have ended,
// handlers included. Outstanding calls fail with net.ErrClosed as the cause.
func (s *Session) Close() error {
	s.flushBeforeClose()
	s.fail(nil)
	s.workers.Wait()
	return nil
}

// fail ends the session: all calls are told, all contexts of running
// requests are cancelled. cause is nil when this end wanted it.
func (s *Session) fail(cause error) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended = true
	s.broken.Store(true)
	s.err = cause
	s.failCallsLocked(cause)
	s.outbox.room.Broadcast()
	if s.idle != nil {
		s.idle.Stop()
	}
	s.pings.stopLocked()
	if s.outbox.linger != nil {
		s.outbox.linger.Stop()
	}
	running := s.runningLocked()
	s.mu.Unlock()

	s.conn.Close()
	close(s.done)
	for _, c := range running {
		c.cancel(context.Canceled)
	}
	if s.opts.Closed != nil {
		s.opts.Closed(cause)
	}
}

// failAll ends the session with what the peer said of all outstanding calls.
func (s *Session) failAll(verdict *wire.Error) {
	s.mu.Lock()
	s.verdict = verdict
	s.mu.Unlock()
	s.fail(verdict)
}

// lost turns an error of the connection into the one that callers see.
func lost(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the peer closed the connection")
	}
	return err
}

// closedError is what a call gets on a session that has ended before it.
func closedError(cause error) *wire.Error {
	if cause == nil {
		cause = net.ErrClosed
	}
	e := wire.Errorf(wire.CodeConnectionLost, "connection lost before the call was sent: %w", cause)
	e.Details.Executed, e.Details.Retryable = wire.ExecutedNo, true
	return e
}
