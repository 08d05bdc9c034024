package transport_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc/transport"
)

func parsed(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	must(t, err)
	return u
}

func TestTLSAddresses(t *testing.T) {
	for in, out := range map[string]string{
		"tls:example.com:7000": "",
		"tls:127.0.0.1:0":      "",
		"tls:0.0.0.0:1":        "",
		"tls:[::1]:65535":      "",
		"tls:[0:0::0:1]:1":     "tls:[::1]:1",
		"tls:Example.COM:1":    "tls:example.com:1",
		"tls:a_b-c.d:1":        "",
		"tls:localhost:1":      "",
	} {
		if out == "" {
			out = in
		}
		a, err := transport.ParseAddress(in)
		if err != nil || a.Scheme != transport.SchemeTLS || a.String() != out {
			t.Errorf("%q: %q, %v", in, a, err)
		}
	}
	for _, s := range []string{
		"tls:", "tls:7000", "tls::7000", "tls:host", "tls:host:", "tls:host:http", "tls:host:65536", "tls:host:-1", "tls:ho st:1",
		"tls:-a:1", "tls:a-:1", "tls:a..b:1", "tls:a/b:1", "tls:user@host:1", "tls://host:1", "tls:host\x00:1", "tls:host\n:1",
		"tls:[::1%eth0]:1", "tls:[::1:1", "tls:*:1", "tls:" + strings.Repeat("a.", 127) + "a:1", "tls:" + strings.Repeat("a", 64) + ":1", "TLS:a:1",
	} {
		if a, err := transport.ParseAddress(s); !errors.Is(err, transport.ErrInvalidAddress) {
			t.Errorf("%q: %q, %v", s, a, err)
		}
	}
}

// TestN07_SilentClientsHoldUpNobody: whoever connects and does not shake
// hands has neither the place nor the time of others.
func TestN07_SilentClientsHoldUpNobody(t *testing.T) {
	w := newWorld(t, true)
	w.server.MaxHandshakes = 4
	w.server.HandshakeTimeout = time.Hour
	told := make(chan error, 100)
	l := listenFor(t, anyTLSPort, with(&transport.Options{OnError: func(err error) { told <- err }}, w.server))
	var silent []net.Conn
	for range 12 {
		c, err := net.Dial("tcp", l.Addr()[len("tls:"):])
		must(t, err)
		silent = append(silent, c)
	}
	client := dialFor(t, l.Addr(), with(nil, w.client))
	server := acceptFor(t, l)
	must(t, client.Write([]byte("\x02\x00\x00\x00{}")))
	if frame, err := server.ReadFrame(); string(frame) != "{}" {
		t.Errorf("%q, %v", frame, err)
	}
	for range 12 + 1 - 4 { // the newest ones still have their time
		expectTLS(t, <-told, transport.TLSTimeout, "MaxHandshakes")
	}
	client.Close()
	server.Close()
	must(t, l.Close())
	for _, c := range silent {
		if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Error(err)
		}
		c.Close()
	}
}

func TestN07_HandshakesHaveAnEnd(t *testing.T) {
	w := newWorld(t, true)
	w.server.HandshakeTimeout = 30 * time.Millisecond
	told := make(chan error, 1)
	l := listenFor(t, anyTLSPort, with(&transport.Options{OnError: func(err error) { told <- err }}, w.server))
	for _, says := range []string{"", "\x16\x03\x01\x02\x00\x01"} {
		c, err := net.Dial("tcp", l.Addr()[len("tls:"):])
		must(t, err)
		io.WriteString(c, says)
		expectTLS(t, <-told, transport.TLSTimeout, "30ms", c.LocalAddr().String())
		if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Error(err)
		}
		c.Close()
	}
}

// TestN07_WhoLooksForAPortIsNotTalkedAbout, as that is what load balancers and
// "ekko-ipc ls" do.
func TestN07_WhoLooksForAPortIsNotTalkedAbout(t *testing.T) {
	w := newWorld(t, true)
	told := make(chan error, 10)
	l := listenFor(t, anyTLSPort, with(&transport.Options{OnError: func(err error) { told <- err }}, w.server))
	for range 3 {
		c, err := net.Dial("tcp", l.Addr()[len("tls:"):])
		must(t, err)
		must(t, c.(*net.TCPConn).CloseWrite())
		if _, err := io.ReadAll(c); err != nil {
			t.Error(err)
		}
		c.Close()
	}
	c, err := net.Dial("tcp", l.Addr()[len("tls:"):])
	must(t, err)
	io.WriteString(c, "\x16")
	c.Close()
	if err := <-told; !strings.Contains(err.Error(), c.LocalAddr().String()) {
		t.Error(err)
	}
}

// TestTLSRetire: those who came before are let in, and then it is over.
func TestTLSRetire(t *testing.T) {
	w := newWorld(t, true)
	l := listenFor(t, anyTLSPort, with(nil, w.server))
	client := dialFor(t, l.Addr(), with(nil, w.client))
	defer client.Close()
	silent, err := net.Dial("tcp", l.Addr()[len("tls:"):])
	must(t, err)
	defer silent.Close()
	l.Retire()
	acceptFor(t, l).Close()
	if c, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(c, err)
	}
	must(t, l.Close())
	must(t, l.Close())
	if c, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(c, err)
	}
}

// TestTLSClose: clients that are through and that nobody has accepted are not
// left behind.
func TestTLSClose(t *testing.T) {
	w := newWorld(t, true)
	l := listenFor(t, anyTLSPort, with(nil, w.server))
	var clients []transport.Conn
	for range 5 {
		clients = append(clients, dialFor(t, l.Addr(), with(nil, w.client)))
	}
	must(t, l.Close())
	for _, c := range clients {
		if frame, err := c.ReadFrame(); err == nil {
			t.Errorf("%q", frame)
		}
		c.Close()
	}
	if _, err := transport.Dial(t.Context(), l.Addr(), with(nil, w.client)); !errors.Is(err, transport.ErrRefused) {
		t.Error(err)
	}
}

func TestTLSPortInUse(t *testing.T) {
	w := newWorld(t, false)
	l := listenFor(t, anyTLSPort, with(nil, w.server))
	if _, err := transport.Listen(t.Context(), l.Addr(), with(nil, w.server)); !errors.Is(err, transport.ErrAddressInUse) {
		t.Error(err)
	}
}

func TestN07_HostsThatAreNotAllowed(t *testing.T) {
	w := newWorld(t, true)
	prefixes := func(texts ...string) (all []netip.Prefix) {
		all = []netip.Prefix{}
		for _, s := range texts {
			all = append(all, netip.MustParsePrefix(s))
		}
		return all
	}
	for _, test := range []struct {
		allow []netip.Prefix
		in    bool
	}{
		{nil, true},
		{prefixes(), false},
		{prefixes("10.0.0.0/8", "192.168.0.0/16"), false},
		{prefixes("127.0.0.2/32"), false},
		{prefixes("10.0.0.0/8", "127.0.0.0/8"), true},
		{prefixes("::/0"), false},
	} {
		for _, address := range []string{anyTLSPort, "tcp:127.0.0.1:0"} {
			told := make(chan error, 10)
			o := &transport.Options{AllowHosts: test.allow, OnError: func(err error) { told <- err }}
			l := listenFor(t, address, with(o, w.server))
			accepted := make(chan bool)
			go func() {
				c, err := l.Accept()
				if err == nil {
					c.Close()
				}
				accepted <- err == nil
			}()
			if test.in {
				dialFor(t, l.Addr(), with(nil, w.client)).Close()
			} else {
				c, err := net.Dial("tcp", l.Addr()[len("tls:"):])
				must(t, err)
				if err := <-told; !strings.Contains(err.Error(), c.LocalAddr().String()) || !strings.Contains(err.Error(), "AllowHosts") {
					t.Error(err)
				}
				if n, _ := c.Read(make([]byte, 10)); n > 0 {
					t.Error("something was said to a host that is not allowed")
				}
				c.Close()
				if address == anyTLSPort {
					_, err := transport.Dial(t.Context(), l.Addr(), with(nil, w.client))
					if err == nil || errors.Is(err, transport.ErrTLS) || !strings.Contains(err.Error(), "other hosts") {
						t.Error(err)
					}
				}
				l.Close()
			}
			if in := <-accepted; in != test.in {
				t.Errorf("%s, %v: accepted %v", address, test.allow, in)
			}
			l.Close()
		}
	}
}

// TestF11_PlainTCPStaysHome unless it is told in words that cannot be
// mistaken.
func TestF11_PlainTCPStaysHome(t *testing.T) {
	for _, o := range []*transport.Options{nil, {}, {AllowHosts: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}} {
		for _, address := range []string{"tcp:0.0.0.0:0", "tcp:[::]:0", "tcp:10.1.2.3:1", "tcp:example.com:1"} {
			if _, err := transport.Listen(t.Context(), address, o); !errors.Is(err, transport.ErrNotLoopback) || !strings.Contains(err.Error(), "tls:HOST:PORT") {
				t.Errorf("%s: %v", address, err)
			}
			if _, err := transport.Dial(t.Context(), address, o); !errors.Is(err, transport.ErrNotLoopback) {
				t.Errorf("%s: %v", address, err)
			}
		}
	}
	o := &transport.Options{InsecureTCP: true}
	l := listenFor(t, "tcp:0.0.0.0:0", o)
	_, port, err := net.SplitHostPort(l.Addr()[len("tcp:"):])
	must(t, err)
	client := dialFor(t, "tcp:127.0.0.1:"+port, o)
	acceptFor(t, l).Close()
	client.Close()
	if _, err := transport.Dial(t.Context(), "tcp:example.com:1", o); !errors.Is(err, transport.ErrInvalidAddress) {
		t.Error(err)
	}
	if a, err := o.ParseAddress("tcp:10.1.2.3:1"); err != nil || a.String() != "tcp:10.1.2.3:1" {
		t.Error(a, err)
	}
}

// TestF11_InsecureTCPLetsInLoopbackOnly, by any other address of this machine
// it is somebody from outside.
func TestF11_InsecureTCPLetsInLoopbackOnly(t *testing.T) {
	own := foreignAddress(t)
	told := make(chan error, 1)
	l := listenFor(t, "tcp:0.0.0.0:0", &transport.Options{InsecureTCP: true, OnError: func(err error) { told <- err }})
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		if c, err := l.Accept(); err == nil {
			t.Error("let in", c)
		}
	}()
	_, port, err := net.SplitHostPort(l.Addr()[len("tcp:"):])
	must(t, err)
	c, err := net.Dial("tcp", net.JoinHostPort(own, port))
	must(t, err)
	if err := <-told; !strings.Contains(err.Error(), own) {
		t.Error(err)
	}
	c.Close()
	l.Close()
	<-accepted
}

// foreignAddress is one of this machine's addresses that is not loopback.
func foreignAddress(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	must(t, err)
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP.String()
		}
	}
	t.Skip("this machine has no address but loopback")
	return ""
}

// TestN07_ManyAreToldOfFew: a flood of strangers does not fill the log.
func TestN07_ManyAreToldOfFew(t *testing.T) {
	told := make(chan error, 1000)
	l := listenFor(t, "tcp:127.0.0.1:0", &transport.Options{AllowHosts: []netip.Prefix{}, OnError: func(err error) { told <- err }})
	go l.Accept()
	began := time.Now()
	for range 200 {
		c, err := net.Dial("tcp", l.Addr()[len("tcp:"):])
		must(t, err)
		io.ReadAll(c)
		c.Close()
	}
	l.Close()
	if most := 16 * (2 + int(time.Since(began)/time.Second)); len(told) > most || len(told) < 16 {
		t.Errorf("told of %d, and %d is the most", len(told), most)
	}
}

// TestN06_NothingIsCompressed: bytes that are all alike take their room.
func TestN06_NothingIsCompressed(t *testing.T) {
	w := newWorld(t, false)
	l := listenFor(t, anyTLSPort, with(nil, w.server))
	c, err := net.Dial("tcp", l.Addr()[len("tls:"):])
	must(t, err)
	counted := &counting{Conn: c}
	s := tls.Client(counted, w.bare(t, 0))
	must(t, s.Handshake())
	if _, err := s.Write([]byte("{}\n")); err != nil {
		t.Fatal(err)
	}
	server := acceptFor(t, l)
	if _, err := server.ReadFrame(); err != nil {
		t.Fatal(err)
	}
	before := counted.n
	const n = 100_000
	written := make(chan error)
	go func() {
		written <- server.Write(append([]byte{n & 0xff, n >> 8 & 0xff, n >> 16, 0}, make([]byte, n)...))
	}()
	_, err = io.ReadFull(s, make([]byte, n+1))
	must(t, err)
	must(t, <-written)
	if came := counted.n - before; came < n {
		t.Errorf("%d bytes came as %d", n, came)
	}
	s.Close()
	server.Close()
}

type counting struct {
	net.Conn
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n += n
	return n, err
}

// TestN07_AnswersThatNobodyReadsAreBounded: TLS answers some questions by
// itself, whether anybody wants to write or not.
func TestN07_AnswersThatNobodyReadsAreBounded(t *testing.T) {
	if n := transport.FloodForTest(); n < 64<<10 || n > 256<<10 {
		t.Errorf("%d bytes wait to be sent", n)
	}
}
