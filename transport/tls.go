package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
)

var tlsScheme = scheme{
	parse: func(rest string, a *Address) (err error) {
		a.Authority, err = parseAuthority(rest)
		return err
	},
	text: func(a *Address) string { return a.Authority },
	listen: func(ctx context.Context, a *Address, o *Options) (Listener, error) {
		return listenTLS(ctx, a.Authority, o)
	},
	dial: func(ctx context.Context, a *Address, o *Options) (Conn, error) { return dialTLS(ctx, a.Authority, o) },
}

// maxHostName is how long the name of a host may be.
const maxHostName = 253

func parseAuthority(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	switch {
	case err != nil || !isPort(port):
		return "", errors.New("it is not of the form tls:example.com:7000")
	case host == "":
		return "", errors.New("it names no host: to listen on all networks say 0.0.0.0 or [::]")
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Zone() == "" {
		return net.JoinHostPort(ip.String(), port), nil
	}
	if !isHostName(host) {
		return "", fmt.Errorf("%q is neither an address nor the name of a host", host)
	}
	return strings.ToLower(host) + ":" + port, nil
}

func isHostName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(c rune) bool {
			return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
		}) {
			return false
		}
	}
	return len(s) <= maxHostName
}

// admissionPatience is how long a client that showed a certificate waits for
// the word that it was accepted. Listeners of this package say it; what does
// not within that time has perhaps no ticket to give, and is believed.
const admissionPatience = time.Second

// dialTLS connects within the time that a handshake may take.
func dialTLS(ctx context.Context, authority string, o *Options) (Conn, error) {
	host, _, err := net.SplitHostPort(authority)
	if err != nil {
		return nil, err // it was parsed before
	}
	config, err := o.tls().clientConfig(host)
	if err != nil {
		return nil, err
	}
	until := time.Now().Add(o.tls().handshakeTimeout())
	d := net.Dialer{KeepAliveConfig: keepAlive, Deadline: until}
	c, err := d.DialContext(ctx, "tcp", authority)
	if err != nil {
		return nil, dialError(err)
	}
	w, err := newWire(c)
	if err != nil {
		return nil, err
	}
	w.hearOf(config)
	x := &explainer{options: o.tls(), whose: "the service at " + authority, other: serverRole, own: clientRole}
	s := &secured{tls: tls.Client(w, config), wire: w, explain: x.explain}
	stop := context.AfterFunc(ctx, func() { w.Close() })
	err = s.introduce(until)
	switch {
	case !stop():
		w.Close() // which is what happens anyway
		return nil, fmt.Errorf("transport: tls handshake with %s: %w", authority, ctx.Err())
	case err != nil:
		w.Close()
		return nil, x.explain(err)
	}
	return s.conn(o, o.dialFraming()), nil
}

// hearOf lets the wire hear of the wish for a certificate, and of tickets.
func (w *tlsWire) hearOf(config *tls.Config) {
	own := config.Certificates
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		w.asked = true
		if len(own) == 0 {
			return &tls.Certificate{}, nil
		}
		return &own[0], nil // whatever authorities were asked for: the refusal says more than silence
	}
	config.ClientSessionCache = hearing{w}
}

// hearing takes the ticket as what it is here: see admitted.
type hearing struct{ wire *tlsWire }

func (hearing) Get(string) (*tls.ClientSessionState, bool)    { return nil, false }
func (h hearing) Put(_ string, given *tls.ClientSessionState) { h.wire.heard.Store(given != nil) }

// introduce is the client's handshake. In TLS 1.3 it is over for the client
// before the service has looked at its certificate: so it waits for that.
func (s *secured) introduce(until time.Time) error {
	w := s.wire
	w.begin(until)
	if err := s.tls.Handshake(); err != nil {
		return err
	}
	w.finish()
	if !w.asked || s.tls.ConnectionState().Version < tls.VersionTLS13 {
		return nil
	}
	w.waiting = true
	if patience := time.Now().Add(admissionPatience); patience.Before(until) {
		until = patience
	}
	w.under.readUntil(until)
	n, err := s.tls.Read(s.small[:])
	w.waiting = false
	w.under.readUntil(time.Time{})
	s.early = s.small[:n]
	if w.heard.Load() || errors.Is(err, os.ErrDeadlineExceeded) {
		return nil // whatever came behind that word comes again
	}
	return err
}

// conn makes a Conn of a stream whose handshake is over.
func (s *secured) conn(o *Options, f Framing) Conn {
	state := s.tls.ConnectionState()
	return newFramed(s, Peer{Certificate: identityOf(&state)}, o, f)
}
