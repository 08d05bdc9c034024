package transport

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// lets reports whether a client may connect, by where it is.
func (o *Options) lets(c net.Conn, secure bool) bool {
	if o == nil || o.AllowHosts == nil && (secure || !o.InsecureTCP) {
		return true
	}
	at, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	host := at.AddrPort().Addr().Unmap().WithZone("")
	if o.AllowHosts == nil {
		return host.IsLoopback()
	}
	for _, p := range o.AllowHosts {
		if p.Contains(host) {
			return true
		}
	}
	return false
}

func notAllowed(c net.Conn) error {
	return fmt.Errorf("transport: the client %s was turned away: its host is none of AllowHosts", c.RemoteAddr())
}

// insecure returns the address of a plain TCP port that other machines reach,
// which only Options.InsecureTCP makes one.
func insecure(s string) (Address, error) {
	rest := strings.TrimPrefix(s, SchemeTCP+":")
	host, err := netip.ParseAddrPort(rest)
	if err != nil || host.Addr().Zone() != "" {
		return Address{}, fmt.Errorf("%w %q: without tls a host is given by its number, as no resolver can be believed", ErrInvalidAddress, s)
	}
	return Address{Scheme: SchemeTCP, Host: host}, nil
}

// tellMax is how many clients that were turned away OnError is told of in one
// second. Anybody can connect, and a log must not fill the disk.
const tellMax = 16

// teller tells the operator what no call returns.
type teller struct {
	say func(error)

	mu      sync.Mutex // guards all below
	since   time.Time
	told    int
	skipped int
}

func newTeller(o *Options) *teller {
	t := &teller{say: func(error) {}}
	if o != nil && o.OnError != nil {
		t.say = o.OnError
	}
	return t
}

// turnedAway tells of one client, or counts it.
func (t *teller) turnedAway(err error) {
	if skipped, tell := t.count(time.Now()); tell {
		if skipped > 0 {
			err = fmt.Errorf("%w; %d more were before, of which nothing was told", err, skipped)
		}
		t.say(err)
	}
}

func (t *teller) count(now time.Time) (skipped int, tell bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.since) >= time.Second {
		t.since, t.told = now, 0
	}
	if t.told >= tellMax {
		t.skipped++
		return 0, false
	}
	t.told++
	skipped, t.skipped = t.skipped, 0
	return skipped, true
}
