package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// explainer turns what crypto/tls says of a handshake into what is wrong with
// which certificate, and what to do.
type explainer struct {
	options *TLSOptions
	whose   string // "the service at example.com:7000", "the client 10.0.0.7:5123"
	other   role   // what the other side has to be
	own     role
}

// explain returns a *TLSError, or err where it is not about TLS: the
// connection has ended, say.
func (x *explainer) explain(err error) error {
	if own, ok := errors.AsType[*TLSError](err); ok {
		if own.Reason == TLSTimeout {
			return own
		}
		told := *own
		told.Message = "the certificate of " + x.whose + " is refused: " + own.Message
		return &told
	}
	if verify, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		var leaf *x509.Certificate
		if len(verify.UnverifiedCertificates) > 0 {
			leaf = verify.UnverifiedCertificates[0]
		}
		return x.certificate(verify.Err, leaf)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return tlsErrorf(TLSNotTLS, nil, "%s does not speak TLS: the two sides have to be configured alike, tls: or tcp:", x.whose)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return tlsErrorf(TLSTimeout, nil, "%s did not finish the handshake within %v: it is overloaded, cut off, or does not speak TLS", x.whose, x.options.handshakeTimeout())
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return x.refused(op.Err)
	}
	if text := err.Error(); strings.HasPrefix(text, "tls: ") || strings.HasPrefix(text, "local error: tls: ") || strings.HasPrefix(text, "x509: ") {
		return x.said(err, text)
	}
	return fmt.Errorf("transport: the connection to %s ended within the TLS handshake (it may let in other hosts only, or be overloaded): %w", x.whose, err)
}

// said explains the errors that the standard library has no types for.
func (x *explainer) said(err error, text string) error {
	has := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case has("client didn't provide a certificate"):
		return tlsErrorf(TLSMissing, nil, "%s showed no certificate, and the service demands one: give the client a CertFile and a KeyFile that %s vouches for", x.whose, x.options.CAFile)
	case has("unsupported versions"), has("protocol version not supported"), has("unsupported protocol version"):
		return x.noVersion(err)
	case has("failed to parse"):
		return tlsErrorf(TLSMalformed, err, "the certificate of %s cannot be understood: it was cut off or changed; issue it again", x.whose)
	case has("RSA key too small"), has("bit RSA key"):
		return tlsErrorf(TLSWeak, err, "the key of %s can be forged: issue the certificate for a key of %d bits", x.whose, minRSA)
	case has("invalid signature by the"):
		return tlsErrorf(TLSKey, err, "%s has not the private key of the certificate that it shows", x.whose)
	case has("didn't match"), has("private key"):
		return tlsErrorf(TLSKey, err, "the keys and certificates of %s do not go together", x.whose)
	}
	return tlsErrorf(TLSBroken, err, "what %s sent breaks the rules of TLS, or was changed on the way", x.whose)
}

func (x *explainer) noVersion(err error) error {
	return tlsErrorf(TLSVersion, err, "%s does not speak TLS 1.3: update it, or allow TLS 1.2 here (AllowTLS12)", x.whose)
}

// certificate explains why the other side's certificate is refused.
func (x *explainer) certificate(err error, leaf *x509.Certificate) error {
	whose, name := x.whose, ""
	if leaf != nil {
		name = nameOf(leaf)
		whose = "the certificate " + name + " of " + x.whose
	}
	var invalid x509.CertificateInvalidError
	var insecure x509.InsecureAlgorithmError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &invalid):
		return x.invalid(invalid, leaf, whose)
	case errors.As(err, &host):
		return tlsErrorf(TLSName, nil, "%s is not for %q, but for %s: dial that name, set ServerName, or issue it with this name (subjectAltName)", whose, host.Host, namesOf(host.Certificate))
	case errors.As(err, &insecure), strings.Contains(err.Error(), "insecure algorithm"):
		return tlsErrorf(TLSWeak, err, "%s is signed in a way that can be forged: issue it with SHA-256", whose)
	case errors.As(err, &unknown):
		return x.unknown(err, leaf, whose)
	}
	return tlsErrorf(TLSBroken, err, "%s is refused", whose)
}

// unknown explains that nobody vouches for a certificate; a forged or weak
// signature is found out that way as well.
func (x *explainer) unknown(err error, leaf *x509.Certificate, whose string) error {
	trusted := "the system's authorities"
	if x.options != nil && x.options.CAFile != "" {
		trusted = x.options.CAFile
	}
	if text := err.Error(); strings.Contains(text, "insecure algorithm") || strings.Contains(text, "cannot verify signature: algorithm unimplemented") {
		return tlsErrorf(TLSWeak, err, "%s is signed in a way that can be forged: issue it with SHA-256", whose)
	}
	if text := err.Error(); strings.Contains(text, "parent certificate cannot sign this kind of certificate") {
		return tlsErrorf(TLSAuthority, nil, "%s is signed by a certificate that is no authority: sign it by one with basicConstraints CA:TRUE and keyUsage keyCertSign", whose)
	}
	if leaf != nil && string(leaf.RawIssuer) == string(leaf.RawSubject) {
		return tlsErrorf(TLSUnknownAuthority, nil, "%s is signed by itself, and %s does not list it: have it signed by an authority listed there", whose, trusted)
	}
	issuer := ""
	if leaf != nil {
		issuer = fmt.Sprintf(" (it was issued by %q)", leaf.Issuer)
	}
	return tlsErrorf(TLSUnknownAuthority, nil, "nobody in %s vouches for %s%s: set CAFile to the file with its authority, or show the certificates in between as well", trusted, whose, issuer)
}

func (x *explainer) invalid(err x509.CertificateInvalidError, leaf *x509.Certificate, whose string) error {
	bad := err.Cert
	if bad == nil {
		bad = leaf
	}
	if leaf != nil && bad != nil && !bad.Equal(leaf) {
		whose = fmt.Sprintf("the authority %s behind %s", nameOf(bad), whose)
	}
	switch err.Reason {
	case x509.Expired:
		if bad != nil && time.Now().Before(bad.NotBefore) {
			return tlsErrorf(TLSNotYetValid, nil, "%s counts only from %s on: look at the clocks of both machines (here it is %s)", whose, day(bad.NotBefore), day(time.Now()))
		}
		until := "earlier"
		if bad != nil {
			until = "on " + day(bad.NotAfter)
		}
		return tlsErrorf(TLSExpired, nil, "%s has expired %s: renew it", whose, until)
	case x509.IncompatibleUsage:
		return tlsErrorf(TLSUsage, nil, "%s is not made for a %s: issue it with the extended key usage %s", whose, x.other.name, x.other.word)
	case x509.NotAuthorizedToSign:
		return tlsErrorf(TLSAuthority, nil, "%s is no authority: sign by a certificate with basicConstraints CA:TRUE and keyUsage keyCertSign", whose)
	case x509.TooManyIntermediates:
		return tlsErrorf(TLSAuthority, nil, "%s allows fewer authorities below it than there are (pathlen): sign by one further up", whose)
	case x509.CANotAuthorizedForThisName, x509.UnconstrainedName, x509.TooManyConstraints, x509.NameConstraintsWithoutSANs:
		return tlsErrorf(TLSAuthority, err, "%s may not vouch for this name (nameConstraints): let an authority sign that may", whose)
	case x509.CANotAuthorizedForExtKeyUsage:
		return tlsErrorf(TLSUsage, err, "%s may not vouch for a %s: issue by an authority without, or with, the extended key usage %s", whose, x.other.name, x.other.word)
	}
	return tlsErrorf(TLSAuthority, err, "%s is refused", whose)
}

func namesOf(c *x509.Certificate) string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no host at all (a common name does not count)"
	}
	if len(names) > 5 {
		names = append(names[:5], "…")
	}
	return strings.Join(names, ", ")
}

// refused explains the other side's last word.
func (x *explainer) refused(alert error) error {
	own := "this side's certificate"
	if x.options != nil && x.options.CertFile != "" {
		own = x.options.CertFile
	}
	word := strings.TrimPrefix(alert.Error(), "tls: ")
	advice := ""
	switch word {
	case "certificate required":
		if x.options == nil || x.options.CertFile == "" {
			return tlsErrorf(TLSMissing, nil, "%s demands a certificate, and this side has none: set CertFile and KeyFile", x.whose)
		}
		advice = own + " was not sent"
	case "expired certificate":
		advice = own + " has expired, or that machine's clock is wrong"
	case "unknown certificate authority":
		advice = "the authority of " + own + " is not among those that it trusts"
	case "bad certificate", "unsupported certificate", "unknown certificate":
		advice = "it does not like " + own + ": its log says why"
	case "protocol version not supported":
		return x.noVersion(nil)
	default:
		advice = "its log says why"
	}
	return tlsErrorf(TLSRefused, nil, "%s turned this %s away with %q: %s", x.whose, x.own.name, word, advice)
}
