package transport

import (
	"errors"
	"fmt"
	"time"
)

// TLSOptions says by which files a tls: connection is secured. All of them
// hold PEM. They are looked at again while a listener lives, and whenever
// Dial is called: a certificate that is renewed counts from then on, and
// connections that there are go on.
type TLSOptions struct {
	// CertFile is the certificate of this side, followed by those between it
	// and the authority; KeyFile is its private key, which only this user
	// may read. A listener needs them; who dials needs them where the
	// service asks its clients for a certificate.
	CertFile string
	KeyFile  string

	// CAFile holds the authorities whose word on the other side counts.
	// Default when dialling: those of the system. Listening, it is needed
	// with ClientCert, and has no meaning without.
	CAFile string

	// ClientCert makes a listener turn away whoever has no certificate, made
	// for clients, for which an authority in CAFile vouches.
	ClientCert bool

	// ServerName is the name that the certificate of the service has to be
	// for. Default: the host of the address.
	ServerName string

	// AllowTLS12 lets in who does not speak TLS 1.3. Nothing older is spoken.
	AllowTLS12 bool

	// HandshakeTimeout is how long it may take until both sides are sure of
	// each other. Default DefaultHandshakeTimeout.
	HandshakeTimeout time.Duration

	// MaxHandshakes is how many clients may be in that state at once. When
	// there are more, the one that has been longest is turned away.
	// Default DefaultMaxHandshakes.
	MaxHandshakes int

	// ReloadInterval is how long the files of a listener count as unchanged
	// after they have been looked at. Default DefaultReloadInterval;
	// negative means that they are looked at for every client.
	ReloadInterval time.Duration
}

// The defaults of TLSOptions.
const (
	DefaultHandshakeTimeout = 10 * time.Second
	DefaultMaxHandshakes    = 256
	DefaultReloadInterval   = time.Second
)

func (o *TLSOptions) handshakeTimeout() time.Duration {
	if o == nil || o.HandshakeTimeout <= 0 {
		return DefaultHandshakeTimeout
	}
	return o.HandshakeTimeout
}

func (o *TLSOptions) maxHandshakes() int {
	if o == nil || o.MaxHandshakes <= 0 {
		return DefaultMaxHandshakes
	}
	return o.MaxHandshakes
}

func (o *TLSOptions) reloadInterval() time.Duration {
	if o == nil || o.ReloadInterval == 0 {
		return DefaultReloadInterval
	}
	return max(o.ReloadInterval, 0)
}

// ErrTLS is what a *TLSError is, whatever its reason.
var ErrTLS = errors.New("transport: tls")

// TLSReason is one word for what is wrong. It does not change.
type TLSReason string

// The reasons of a TLSError.
const (
	TLSFile             TLSReason = "file"              // a file cannot be read, or others could have written or read it
	TLSMalformed        TLSReason = "malformed"         // a file or a certificate cannot be understood
	TLSMissing          TLSReason = "missing"           // a certificate or an option that is needed is not there
	TLSKey              TLSReason = "key"               // the private key is not that of the certificate
	TLSExpired          TLSReason = "expired"           // a certificate has expired
	TLSNotYetValid      TLSReason = "not-yet-valid"     // a certificate counts only later
	TLSUnknownAuthority TLSReason = "unknown-authority" // nobody who is trusted vouches for the certificate
	TLSName             TLSReason = "name"              // the certificate is somebody else's
	TLSUsage            TLSReason = "usage"             // the certificate is for another purpose
	TLSAuthority        TLSReason = "authority"         // one that vouches for it may not
	TLSWeak             TLSReason = "weak"              // a key or a signature can be forged
	TLSVersion          TLSReason = "version"           // no version of TLS in common
	TLSNotTLS           TLSReason = "not-tls"           // the other side does not speak TLS
	TLSRefused          TLSReason = "refused"           // the other side turned this one away
	TLSTimeout          TLSReason = "timeout"           // the handshake took too long
	TLSBroken           TLSReason = "broken"            // what came was changed on the way, or breaks the rules
)

// TLSError is a certificate, a file or a handshake that is refused: Message
// says which, what is wrong with it, and what to do.
type TLSError struct {
	Reason  TLSReason
	Message string
	Err     error // what the standard library or the system said; may be nil
}

// Error returns the message, and the cause.
func (e *TLSError) Error() string {
	text := "transport: tls: " + e.Message
	if e.Err != nil {
		text += fmt.Sprintf(" (%v)", e.Err)
	}
	return text
}

// Unwrap returns the cause.
func (e *TLSError) Unwrap() error { return e.Err }

// Is reports whether target is ErrTLS.
func (e *TLSError) Is(target error) bool { return target == ErrTLS }

func tlsErrorf(r TLSReason, cause error, format string, args ...any) *TLSError {
	return &TLSError{Reason: r, Message: fmt.Sprintf(format, args...), Err: cause}
}
