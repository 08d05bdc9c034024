package transport

import (
	"errors"
	"net/netip"
	"time"

	"github.com/ekkojs/ipc/internal/place"
)

// ErrInterrupted is what ReadFrame returns after InterruptRead: nothing was
// lost, and the connection reads on with the next ReadFrame.
var ErrInterrupted = errors.New("transport: read interrupted")

// Conn carries whole frames between two processes. It knows nothing of
// messages.
//
// At any time at most one goroutine may be in ReadFrame, Buffered or Detach,
// and at most one in TryWrite or Write; reading and writing are independent
// of each other. InterruptRead, Peer and Close may be called at any time from
// any goroutine.
type Conn interface {
	// ReadFrame returns the next whole frame, waiting for it as long as it
	// takes. The frame belongs to the connection and is valid until the next
	// call of ReadFrame, unless Detach is called before; it is not to be
	// changed. It may be empty, but is nil only beside an error. At the end
	// of the stream between two frames the error is io.EOF, within a frame
	// io.ErrUnexpectedEOF (but the end also ends a line); a frame above the
	// limit is a *FrameError. Each of these comes again with each further
	// call. While it waits for the first byte of a frame it holds no buffer.
	ReadFrame() ([]byte, error)

	// Buffered reports whether the next ReadFrame returns without waiting,
	// because a whole frame (or an error) is already here. Interruptions do
	// not count.
	Buffered() bool

	// Detach leaves the frame last returned by ReadFrame to the caller for
	// good: the connection continues in another buffer. It may be called by
	// the goroutine that takes over reading while another one still uses the
	// frame.
	Detach()

	// InterruptRead makes the ReadFrame that waits, or else the next one,
	// return ErrInterrupted, even if a frame is here. One that comes too late
	// may interrupt a later ReadFrame: readers must expect to be interrupted
	// for no reason.
	InterruptRead()

	// TryWrite writes what the transport takes at once and never waits. It
	// returns how many bytes of frames it consumed; n < len(frames) with a
	// nil error means that the rest has to go through Write.
	//
	// frames is a run of frames, each preceded by its length as an unsigned
	// 32-bit little-endian number. After a short TryWrite the rest may begin
	// within a frame, and is to be passed to TryWrite or Write as it is.
	//
	// An error of TryWrite or Write is final, since half a frame may be out.
	TryWrite(frames []byte) (n int, err error)

	// Write writes all of frames, in the form that TryWrite takes, waiting
	// as long as the write deadline of the connection allows
	// (Options.WriteTimeout for the whole call), and returns
	// os.ErrDeadlineExceeded after that.
	Write(frames []byte) error

	// Peer returns who is at the other end, as the kernel told it.
	Peer() Peer

	// Close ends the connection; a ReadFrame or Write under way returns
	// net.ErrClosed. It is idempotent.
	Close() error
}

// Listener accepts connections.
type Listener interface {
	// Accept waits for the next connection. After Close it returns
	// net.ErrClosed.
	Accept() (Conn, error)
	// Addr returns the address that a client dials, such as
	// "unix:/run/user/1000/ekko-ipc/db.sock".
	Addr() string
	// Retire lets nobody new in, as far as the transport can. Accept goes on
	// with those who came before, and when there are none left, within
	// moments, it returns net.ErrClosed. The address is free for another
	// listener then, where it has a name. Close has still to be called.
	Retire()
	// Close stops listening and removes what Listen put on disk.
	Close() error
}

// Framing is how frames are told apart on a byte stream.
type Framing uint8

// The framings. A listener's connection starts with FramingAuto and takes the
// framing of the first frame it receives.
const (
	FramingAuto Framing = iota
	FramingLength
	FramingLine
)

// Options adjusts Listen and Dial. A nil *Options means the defaults.
type Options struct {
	// MaxFrame is the longest frame accepted from the peer, in bytes.
	// Default DefaultMaxFrame, ceiling MaxMaxFrame.
	MaxFrame int

	// WriteTimeout bounds one Write. Default DefaultWriteTimeout; negative
	// means no bound.
	WriteTimeout time.Duration

	// FrameTimeout bounds the time between the first and the last byte of a
	// frame that is received; ReadFrame returns ErrFrameTimeout then.
	// Default DefaultFrameTimeout; negative means no bound.
	FrameTimeout time.Duration

	// Framing of what this side sends first. Default FramingLength when
	// dialling, FramingAuto when listening.
	Framing Framing

	// TrustUID says whether the process that serves an address may run as
	// that user; Dial asks it before a byte is sent, where the kernel names
	// the server's user by number. Default: one's own effective user and
	// root. The owner of a Windows pipe has to be one's own user, the system
	// or its administrators, and nobody is asked.
	TrustUID func(uid uint32) bool

	// TLS says by which files connections of SchemeTLS are secured. A
	// listener needs it; by default who dials believes the system's
	// authorities and has no certificate to show.
	TLS *TLSOptions

	// AllowHosts are the addresses from which clients may connect to a port;
	// others are turned away before a byte is read. Default: any.
	AllowHosts []netip.Prefix

	// InsecureTCP lets SchemeTCP leave this machine, by the number of a host.
	// Everybody on the way can then read and change what is said, and pretend
	// to be either side: use SchemeTLS instead. Clients are let in from
	// loopback only unless AllowHosts says more.
	InsecureTCP bool

	// OnError is told of what no call returns: a client that a port's
	// listener turned away (16 of them a second at most), a new certificate
	// that cannot be used. It must not block. Default: nobody is told.
	OnError func(error)
}

func (o *Options) tls() *TLSOptions {
	if o == nil || o.TLS == nil {
		return &TLSOptions{}
	}
	return o.TLS
}

func (o *Options) maxFrame() int {
	if o == nil || o.MaxFrame <= 0 {
		return DefaultMaxFrame
	}
	return min(o.MaxFrame, MaxMaxFrame)
}

// writeTimeout returns zero for no bound.
func (o *Options) writeTimeout() time.Duration {
	switch {
	case o == nil || o.WriteTimeout == 0:
		return DefaultWriteTimeout
	case o.WriteTimeout < 0:
		return 0
	}
	return o.WriteTimeout
}

// frameTimeout returns zero for no bound.
func (o *Options) frameTimeout() time.Duration {
	if o == nil || o.FrameTimeout == 0 {
		return DefaultFrameTimeout
	}
	return max(o.FrameTimeout, 0)
}

func (o *Options) dialFraming() Framing {
	if o == nil || o.Framing == FramingAuto {
		return FramingLength
	}
	return o.Framing
}

func (o *Options) listenFraming() Framing {
	if o == nil {
		return FramingAuto
	}
	return o.Framing
}

// Limits of Options.
const (
	DefaultMaxFrame     = 1 << 20
	MaxMaxFrame         = 1<<24 - 1
	DefaultWriteTimeout = 10 * time.Second
	DefaultFrameTimeout = 30 * time.Second
)

// Peer is who is at the other end of a connection: the kernel's word, or that
// of an authority who signed a certificate, never the peer's. It holds for the process that connected or listened; a process
// that inherited the descriptor, or was handed it, is not seen.
type Peer struct {
	// Known is false where the transport has no kernel credentials to give
	// (TCP, pipes): what is below is then meaningless.
	Known bool
	UID   uint32 // NoUID where users have a SID instead
	GID   uint32 // NoUID where the kernel names the user only
	PID   int32  // for display only: it may be reused after the peer's death; 0 where the kernel does not say
	SID   string // of the user, on Windows: "S-1-5-21-…-1001"; else empty

	// Certificate is whom the peer has proven to be by TLS; nil where it was
	// not asked to. It is independent of Known, and comes from an authority
	// that this side trusts instead of the kernel.
	Certificate *CertificateIdentity

	source pidfdSource // nil if the kernel gives no process descriptor
}

// NoUID is no user's and no group's number.
const NoUID = ^uint32(0)

// pidfdSource is where a process descriptor of the peer is to be had.
type pidfdSource interface {
	pidfd() (int, error)
}

// Overflow reports whether UID is the number by which the kernel shows every
// user that has none in this user namespace: it names nobody.
func (p Peer) Overflow() bool { return p.Known && p.UID == place.OverflowUID() }

// PIDFD returns a new descriptor of the peer's process, which never comes to
// mean another process as a number does; the caller closes it. It works on
// Linux while the connection is open, else the error is ErrUnsupported or
// the kernel's.
func (p Peer) PIDFD() (int, error) {
	if p.source == nil {
		return -1, ErrUnsupported
	}
	return p.source.pidfd()
}
