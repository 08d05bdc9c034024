package transport

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
)

var stdioScheme = scheme{
	parse: func(rest string, _ *Address) error {
		if rest != "" {
			return errors.New("nothing may follow stdio")
		}
		return nil
	},
	text:   func(*Address) string { return "" },
	listen: func(_ context.Context, _ *Address, o *Options) (Listener, error) { return listenStdio(o) },
	dial:   func(_ context.Context, _ *Address, o *Options) (Conn, error) { return dialStdio(o) },
}

// Pipe makes a Conn of two files, in to read from and out to write to, which
// it owns from then on: a parent uses it to speak to the standard input and
// output of its child. They should be pipes or sockets; Peer is not Known.
// The connection's framing is that of a dialler.
func Pipe(in, out *os.File, o *Options) (Conn, error) {
	return newPipe(in, out, o, o.dialFraming())
}

func dialStdio(o *Options) (Conn, error) { return stdio(o, o.dialFraming()) }

func listenStdio(o *Options) (Listener, error) {
	c, err := stdio(o, o.listenFraming())
	if err != nil {
		return nil, err
	}
	return newSingle(SchemeStdio+":", c), nil
}

// single is a listener with one connection to give.
type single struct {
	addr string

	mu     sync.Mutex
	conn   Conn          // nil once given
	done   chan struct{} // closed when Accept is to wait no longer
	ending sync.Once     // closes done
}

func newSingle(addr string, c Conn) *single {
	return &single{addr: addr, conn: c, done: make(chan struct{})}
}

func (l *single) take() Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.conn
	l.conn = nil
	return c
}

// Accept returns the connection, and from then on waits for Close: a service
// goes on as long as it is wanted.
func (l *single) Accept() (Conn, error) {
	if c := l.take(); c != nil {
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *single) Addr() string { return l.addr }

// Retire makes Accept wait no longer: nobody else will come.
func (l *single) Retire() { l.ending.Do(func() { close(l.done) }) }

func (l *single) Close() error {
	l.Retire()
	if c := l.take(); c != nil {
		return c.Close()
	}
	return nil
}
