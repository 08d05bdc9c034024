package transport

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"time"
)

// CertificateIdentity is whom a certificate names. The other side has proven
// that it has the certificate's key, and an authority that this side trusts
// vouches for the names.
type CertificateIdentity struct {
	Subject     string   // the distinguished name, such as "CN=billing,O=Example"
	URIs        []string // the names that are URIs, such as "spiffe://example.org/billing"
	DNSNames    []string
	Emails      []string
	Fingerprint string // the SHA-256 of the certificate, in hexadecimal digits
	NotAfter    time.Time
}

// Principal returns the one name to give rights to: the first URI, or else
// the first DNS name, e-mail address, or the subject. It stays the same when
// the certificate is renewed.
func (c *CertificateIdentity) Principal() string {
	for _, names := range [][]string{c.URIs, c.DNSNames, c.Emails} {
		if len(names) > 0 {
			return names[0]
		}
	}
	if c.Subject != "" {
		return c.Subject
	}
	return "sha256:" + c.Fingerprint
}

// identityOf returns whom the other side of a finished handshake has proven
// to be, nil if it was not asked.
func identityOf(state *tls.ConnectionState) *CertificateIdentity {
	if len(state.VerifiedChains) == 0 {
		return nil
	}
	return identify(state.PeerCertificates[0])
}

func identify(c *x509.Certificate) *CertificateIdentity {
	print := sha256.Sum256(c.Raw)
	id := &CertificateIdentity{
		Subject:     c.Subject.String(),
		DNSNames:    c.DNSNames,
		Emails:      c.EmailAddresses,
		Fingerprint: hex.EncodeToString(print[:]),
		NotAfter:    c.NotAfter,
	}
	for _, u := range c.URIs {
		id.URIs = append(id.URIs, u.String())
	}
	return id
}
