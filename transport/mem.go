package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
)

// Pair returns the two ends of a connection in memory: whatever works over
// it works over a socket, split frames and short writes included. It starts
// no goroutine and can be used in the bubbles of testing/synctest. The first
// end has the framing of a listener's connection, the second that of a
// dialler's.
func Pair(o *Options) (server, client Conn) {
	a, b := newMemory()
	return newFramed(a, self(), o, o.listenFraming()), newFramed(b, self(), o, o.dialFraming())
}

// self is this process, the peer of its own in-memory connections.
func self() Peer {
	uid, gid := os.Geteuid(), os.Getegid()
	if uid < 0 {
		return selfBySID()
	}
	return Peer{Known: true, UID: uint32(uid), GID: uint32(gid), PID: int32(os.Getpid()), source: selfSource()}
}

var memScheme = scheme{
	parse: func(rest string, a *Address) error {
		if a.Name = rest; rest == "" {
			return errors.New("it names nothing")
		}
		return nil
	},
	text:   func(a *Address) string { return a.Name },
	listen: func(_ context.Context, a *Address, o *Options) (Listener, error) { return listenMem(a.Name, o) },
	dial:   func(ctx context.Context, a *Address, o *Options) (Conn, error) { return dialMem(ctx, a.Name, o) },
}

// names are the listeners of "mem:" addresses, for this process only.
var names struct {
	mu sync.Mutex
	by map[string]*memListener
}

type memListener struct {
	name    string
	options *Options

	mu      sync.Mutex
	changed sync.Cond
	waiting []Conn
	retired bool // takes nobody new
	closed  bool
}

func listenMem(name string, o *Options) (Listener, error) {
	l := &memListener{name: name, options: o}
	l.changed.L = &l.mu
	names.mu.Lock()
	defer names.mu.Unlock()
	if names.by[name] != nil {
		return nil, fmt.Errorf("%w: mem:%s is served by this process", ErrAddressInUse, name)
	}
	if names.by == nil {
		names.by = make(map[string]*memListener)
	}
	names.by[name] = l
	return l, nil
}

func dialMem(ctx context.Context, name string, o *Options) (Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	names.mu.Lock()
	l := names.by[name]
	names.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("%w at mem:%s", ErrRefused, name)
	}
	a, b := newMemory()
	if !l.offer(newFramed(a, self(), l.options, l.options.listenFraming())) {
		return nil, fmt.Errorf("%w at mem:%s", ErrRefused, name)
	}
	return newFramed(b, self(), o, o.dialFraming()), nil
}

func (l *memListener) offer(c Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.retired {
		return false
	}
	l.waiting = append(l.waiting, c)
	l.changed.Signal()
	return true
}

func (l *memListener) Accept() (Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) == 0 && !l.closed && !l.retired {
		l.changed.Wait()
	}
	if l.closed || len(l.waiting) == 0 {
		return nil, net.ErrClosed
	}
	c := l.waiting[0]
	l.waiting = l.waiting[1:]
	return c, nil
}

func (l *memListener) Addr() string { return "mem:" + l.name }

// Retire refuses whoever dials from now on.
func (l *memListener) Retire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retired = true
	l.changed.Broadcast()
}

func (l *memListener) Close() error {
	names.mu.Lock()
	if names.by[l.name] == l {
		delete(names.by, l.name)
	}
	names.mu.Unlock()

	l.mu.Lock()
	l.closed = true
	left := l.waiting
	l.waiting = nil
	l.changed.Broadcast()
	l.mu.Unlock()
	for _, c := range left {
		c.Close()
	}
	return nil
}
