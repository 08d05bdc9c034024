package transport

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// The shortest keys that count.
const (
	minRSA   = 2048
	minCurve = 256
)

// judgeOwn looks at this side's certificate before anybody is shown it.
func judgeOwn(path string, chain []*x509.Certificate, as role) error {
	leaf, now := chain[0], time.Now()
	switch {
	case now.After(leaf.NotAfter):
		return tlsErrorf(TLSExpired, nil, "the certificate in %s (%s) has expired on %s: renew it", path, nameOf(leaf), day(leaf.NotAfter))
	case now.Before(leaf.NotBefore):
		return tlsErrorf(TLSNotYetValid, nil, "the certificate in %s (%s) counts only from %s on: wait, or look at this machine's clock (it is %s)", path, nameOf(leaf), day(leaf.NotBefore), day(now))
	case !isFor(leaf, as.usage):
		return tlsErrorf(TLSUsage, nil, "the certificate in %s (%s) is not made for a %s: issue it with the extended key usage %s", path, nameOf(leaf), as.name, as.word)
	case as.usage == x509.ExtKeyUsageServerAuth && len(leaf.DNSNames)+len(leaf.IPAddresses) == 0:
		return tlsErrorf(TLSName, nil, "the certificate in %s (%s) names no host, so no client will accept it: issue it with a subjectAltName (DNS: or IP:)", path, nameOf(leaf))
	}
	for _, c := range chain {
		if err := judgeKey(c); err != nil {
			err.Message += ", in " + path
			return err
		}
	}
	return nil
}

// isFor reports whether a certificate may be used so. One that names no usage
// may be used for anything.
func isFor(c *x509.Certificate, usage x509.ExtKeyUsage) bool {
	none := len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0
	return none || slices.Contains(c.ExtKeyUsage, usage) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// judgeChains refuses certificates that anybody could forge who has the
// patience. The standard library has followed the chains before, and accepts
// no signature by MD5 or SHA-1. One chain that is strong is enough.
func judgeChains(chains [][]*x509.Certificate) error {
	var weak error
	for _, chain := range chains {
		if weak = judgeChain(chain); weak == nil {
			return nil
		}
	}
	return weak
}

func judgeChain(chain []*x509.Certificate) error {
	for _, c := range chain {
		if err := judgeKey(c); err != nil {
			return err
		}
	}
	return nil
}

// judgeKey returns nil for a key of good length, and a signature that is none
// of those that have been forged; nobody verifies that of a root.
func judgeKey(c *x509.Certificate) *TLSError {
	bits, least, kind := minRSA, minRSA, "RSA"
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		bits = key.N.BitLen()
	case *ecdsa.PublicKey:
		bits, least, kind = key.Curve.Params().BitSize, minCurve, "elliptic-curve"
	}
	if bits < least {
		return tlsErrorf(TLSWeak, nil, "the %s key of the certificate %s has %d bits, and %d are needed: issue it for a new key", kind, nameOf(c), bits, least)
	}
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		if string(c.RawSubject) != string(c.RawIssuer) {
			return tlsErrorf(TLSWeak, nil, "the certificate %s is signed by %v, which can be forged: issue it with SHA-256", nameOf(c), c.SignatureAlgorithm)
		}
	}
	return nil
}

// nameOf is how messages call a certificate.
func nameOf(c *x509.Certificate) string {
	name := c.Subject.String()
	if name == "" {
		name = identify(c).Principal()
	}
	if len(name) > 100 {
		name = name[:100] + "…"
	}
	return fmt.Sprintf("%q", name)
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
