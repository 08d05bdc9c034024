package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// tlsListener gives out connections whose handshake is over.
//
//	acceptor ──▶ gather ──▶ a goroutine for each handshake ──▶ Accept
//
// There are at most MaxHandshakes of those, each with an end to its time, so
// whoever connects and says nothing holds up nobody.
type tlsListener struct {
	address     string
	listener    *net.TCPListener
	acceptor    *acceptor
	options     *Options
	credentials *credentials
	teller      *teller

	ready chan Conn     // to Accept, unbuffered
	done  chan struct{} // closed by Close
	over  chan struct{} // closed when no more will be ready
	err   error         // why; read after over

	handshakes sync.WaitGroup
	mu         sync.Mutex // guards all below
	room       sync.Cond  // signalled when one has left underWay
	underWay   []*handshake
	closing    bool

	ending sync.Once
	closed error
}

// handshake is a client whom the listener does not know yet.
type handshake struct {
	conn net.Conn
	wire *tlsWire

	// Guarded by tlsListener.mu:
	over   bool // it waits for Accept only
	ousted bool // to make room
}

func listenTLS(ctx context.Context, authority string, o *Options) (Listener, error) {
	l := &tlsListener{
		options: o,
		teller:  newTeller(o),
		ready:   make(chan Conn),
		done:    make(chan struct{}),
		over:    make(chan struct{}),
	}
	l.room.L = &l.mu
	var err error
	if l.credentials, err = newCredentials(o.tls(), l.teller.say); err != nil {
		return nil, err
	}
	ln, err := listenSocket(ctx, authority)
	if err != nil {
		return nil, err
	}
	l.listener = ln
	l.acceptor = newAcceptor(ln.Accept)
	host, _, _ := net.SplitHostPort(authority)
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	l.address = SchemeTLS + ":" + net.JoinHostPort(host, port)
	go l.gather()
	return l, nil
}

// gather accepts until the listener is closed or retires. It ends with the
// last handshake, at Close at once.
func (l *tlsListener) gather() {
	defer close(l.over)
	defer l.handshakes.Wait()
	for {
		c, err := l.acceptor.next()
		if err != nil {
			l.err = err
			l.hurry()
			return
		}
		if !l.options.lets(c, true) {
			c.Close()
			l.teller.turnedAway(notAllowed(c))
			continue
		}
		l.meet(c)
	}
}

// meet begins a handshake. If there are too many the oldest one ends: an
// honest one takes milliseconds. Those that are through and wait for Accept
// have their place for certain, and if they take all places there is nothing
// to do but wait as well.
func (l *tlsListener) meet(c net.Conn) {
	w, err := newWire(c)
	if err != nil {
		l.teller.turnedAway(err)
		return
	}
	h := &handshake{conn: c, wire: w}
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.underWay) >= l.options.tls().maxHandshakes() && !l.closing {
		if oldest := l.oldestLocked(); oldest != nil {
			oldest.ousted = true
			oldest.wire.Close()
		}
		l.room.Wait()
	}
	if l.closing {
		w.Close()
		return
	}
	l.underWay = append(l.underWay, h)
	l.handshakes.Go(func() {
		defer l.leave(h)
		l.shake(h)
	})
}

func (l *tlsListener) oldestLocked() *handshake {
	for _, h := range l.underWay {
		if !h.over && !h.ousted {
			return h
		}
	}
	return nil
}

func (l *tlsListener) leave(h *handshake) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.underWay {
		if other == h {
			l.underWay = append(l.underWay[:i], l.underWay[i+1:]...)
			break
		}
	}
	l.room.Signal()
}

func (l *tlsListener) shake(h *handshake) {
	x := &explainer{options: l.options.tls(), whose: "the client " + h.conn.RemoteAddr().String(), other: clientRole, own: serverRole}
	s := &secured{tls: tls.Server(h.wire, l.credentials.current()), wire: h.wire, explain: x.explain}
	h.wire.begin(time.Now().Add(l.options.tls().handshakeTimeout()))
	err := s.tls.Handshake()
	h.wire.finish()
	if err = l.settle(h, err); err != nil {
		h.wire.Close()
		passedBy := errors.Is(err, io.EOF) && !h.wire.spoke // to see whether there is a port
		if err != net.ErrClosed && !passedBy {
			l.teller.turnedAway(x.explain(err))
		}
		return
	}
	select {
	case l.ready <- s.conn(l.options, l.options.listenFraming()):
	case <-l.done:
		h.wire.Close()
	}
}

// settle takes a handshake that has ended with err out of those that may be
// cut off to make room. The error is net.ErrClosed when the listener is
// closing.
func (l *tlsListener) settle(h *handshake, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closing:
		return net.ErrClosed
	case h.ousted:
		return tlsErrorf(TLSTimeout, nil, "the client %s was cut off within its handshake, as %d others were under way (MaxHandshakes) and it was the oldest", h.conn.RemoteAddr(), l.options.tls().maxHandshakes())
	}
	h.over = true
	return err
}

// hurry leaves those who came before the listener's retirement a moment.
func (l *tlsListener) hurry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.underWay {
		if !h.over {
			h.wire.under.readUntil(time.Now().Add(farewell))
		}
	}
}

// farewell is how long handshakes go on that a listener's retirement found
// under way.
const farewell = time.Second

func (l *tlsListener) Accept() (Conn, error) {
	select {
	case <-l.done:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.over:
		return nil, l.err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *tlsListener) Addr() string { return l.address }

// Retire cannot keep anybody out: a port has no name to take away.
func (l *tlsListener) Retire() { l.acceptor.retire(l.listener) }

// Close ends the handshakes that are under way and waits for that.
func (l *tlsListener) Close() error {
	l.ending.Do(func() {
		l.acceptor.stop()
		l.closed = l.listener.Close()
		l.mu.Lock()
		l.closing = true
		for _, h := range l.underWay {
			if !h.over {
				h.wire.Close()
			}
		}
		l.room.Broadcast()
		l.mu.Unlock()
		close(l.done)
		<-l.over
	})
	return l.closed
}
