package manifest

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	transportFields = []string{"type", "address", "port", "timeout", "maxConnections", "tls", "fallback"}
	tlsFields       = []string{"ca", "cert", "key", "serverName", "clientCert"}
)

var transportTypes = []TransportType{
	TransportAuto, TransportUnix, TransportNamedPipe, TransportFIFO, TransportTCP,
	TransportMessageQueue, TransportShm, TransportStdio,
}

// maxPath keeps absolute paths within what a socket address holds on every
// platform.
const maxPath = 100

// transport reads a transport; as is the one that it is a fallback of, nil for
// the first.
func (r *reader) transport(n *node, as *Transport) Transport {
	if n.kind == '"' && as != nil {
		// The short spelling of a fallback: only what differs.
		return r.shortFallback(n, as)
	}
	what := `"transport"`
	if as != nil {
		what = "a fallback"
	}
	o := r.object(n, what, transportFields)
	if o == nil {
		return Transport{Type: TransportAuto}
	}
	t := r.transportFields(o, as)
	f := o.kind("fallback", '[')
	switch {
	case f == nil:
	case as != nil:
		r.warnf(f, "unused", "a fallback has no fallback of its own")
	default:
		for _, e := range f.elems {
			t.Fallback = append(t.Fallback, r.transport(e, &t))
		}
	}
	return t
}

// transportFields reads all but the fallbacks.
func (r *reader) transportFields(o *object, as *Transport) Transport {
	t := Transport{
		Type:           choice(o, "type", transportTypes...),
		Timeout:        o.millis("timeout", 1*time.Millisecond, maxTimeout),
		MaxConnections: int(o.whole("maxConnections", 1, maxConnections)),
	}
	port := o.orNull("port")
	if port != nil && r.expect(port, '0', `"port"`) {
		t.Port = int(r.whole(port, "port", 1, 65535))
	}
	if n := o.get("tls"); n != nil {
		t.TLS = r.tls(n)
	}
	at := o.n
	if a := o.orNull("address"); a != nil {
		at = a
		if r.expect(a, '"', `"address"`) {
			t.Address = a.text
			if a.text == "" {
				r.errorf(a, "address", "the address is empty: leave it out to use the service's name")
				return t
			}
		}
	}
	inherit(&t, as)
	if port == nil {
		r.needPort(at, &t)
	}
	r.address(at, &t)
	return t
}

// shortFallback is a fallback given by its type alone.
func (r *reader) shortFallback(n *node, as *Transport) Transport {
	t := Transport{Type: TransportType(n.text)}
	if !slices.Contains(transportTypes, t.Type) {
		names := make([]string, len(transportTypes))
		for i, v := range transportTypes {
			names[i] = string(v)
		}
		r.errorf(n, "value", "unknown type %s%s (one of %s)", quote(n.text), meant(n.text, names), strings.Join(names, ", "))
		return Transport{Type: TransportAuto}
	}
	inherit(&t, as)
	r.needPort(n, &t)
	r.address(n, &t)
	return t
}

// needPort reports a tcp transport without a port.
func (r *reader) needPort(at *node, t *Transport) {
	if t.Type == TransportTCP && t.Port == 0 {
		r.errorf(at, "port", "a tcp transport needs a port from 1 to 65535")
	}
}

// inherit fills what a fallback leaves open from the transport before it, as
// far as it makes sense there.
func inherit(t, as *Transport) {
	if as == nil {
		return
	}
	if t.Address == "" && t.Type != TransportTCP && isBareName(as.Address) {
		t.Address = as.Address
	}
	if t.Type == TransportTCP {
		if t.Port == 0 {
			t.Port = as.Port
		}
		if t.TLS == nil {
			t.TLS = as.TLS
		}
	}
}

func (r *reader) tls(n *node) *TLS {
	o := r.object(n, `"tls"`, tlsFields)
	if o == nil {
		return nil
	}
	return &TLS{
		CA: o.text("ca"), Cert: o.text("cert"), Key: o.text("key"),
		ServerName: o.text("serverName"), ClientCert: o.flag("clientCert"),
	}
}

// address judges where a transport claims to be; at is the value to point at.
func (r *reader) address(at *node, t *Transport) {
	var problem string
	switch t.Type {
	case TransportTCP:
		problem = hostProblem(t.Address, t.TLS != nil)
	case TransportStdio:
		if t.Address != "" {
			r.warnf(at, "unused", "a stdio transport has no address")
		}
	case TransportNamedPipe:
		if !pipePath.fits(t.Address) {
			problem = pathProblem(t.Address)
		}
	default:
		problem = pathProblem(t.Address)
	}
	if problem != "" {
		r.errorf(at, "address", "the address %s %s", quote(t.Address), problem)
	}
}

var (
	bareName  = shape{regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`), 255}
	pipePath  = shape{regexp.MustCompile(`^\\\\\.\\pipe\\[A-Za-z0-9._\\-]+$`), len(`\\.\pipe\`) + 200}
	drivePath = regexp.MustCompile(`^[A-Za-z]:[\\/]`)
	hostName  = shape{regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`), 253}
)

func isBareName(s string) bool { return bareName.fits(s) }

// pathProblem is what is wrong with the address of a local transport, empty if
// nothing. Whether an absolute path lies inside the runtime directory is for
// those who know that directory.
func pathProblem(a string) string {
	switch {
	case a == "" || isBareName(a):
		return ""
	case strings.HasPrefix(a, "@") || strings.HasPrefix(a, "\x00"):
		return "is abstract: such sockets have no permissions, use a name inside the runtime directory"
	case strings.ContainsFunc(a, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return "holds control characters"
	case !strings.HasPrefix(a, "/") && !drivePath.MatchString(a):
		return "is neither a bare name (letters, digits, dot, _ and -) inside the runtime directory nor an absolute path"
	case slices.Contains(strings.FieldsFunc(a, func(c rune) bool { return c == '/' || c == '\\' }), ".."):
		return "climbs with .."
	case len(a) > maxPath:
		return "is longer than the 100 bytes that fit into a socket address"
	}
	return ""
}

// hostProblem is what is wrong with the address of a tcp transport, empty if
// nothing.
func hostProblem(a string, secure bool) string {
	if a == "" || strings.EqualFold(a, "localhost") {
		return ""
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(a, "["), "]"))
	switch {
	case err == nil && ip.IsUnspecified():
		return "stands for every network of the machine: name one address"
	case err == nil && ip.IsLoopback():
		return ""
	case err != nil && !hostName.fits(a):
		return "is no host; the port has a field of its own"
	case !secure:
		return "is not on this machine's loopback, where tls is required"
	}
	return ""
}
