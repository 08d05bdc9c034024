package transport

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The pause of an accept loop that the system has no descriptors for: it
// doubles from the first to the second, and ends when one was accepted.
const (
	acceptPauseMin = 10 * time.Millisecond
	acceptPauseMax = time.Second
)

// acceptor accepts from a listener of the standard library. Want of
// descriptors or memory makes it wait, not fail: the connections that live
// will go some time, and those that wait are served then.
type acceptor struct {
	accept  func() (net.Conn, error)
	done    chan struct{} // closed by stop
	once    sync.Once
	pause   time.Duration // belongs to the goroutine in next
	retired atomic.Bool   // a deadline that passes is the end
}

// retirement is how long a listener that has retired still accepts: those who
// came before are there at once.
const retirement = 20 * time.Millisecond

// retire makes next return net.ErrClosed soon.
func (a *acceptor) retire(l interface{ SetDeadline(time.Time) error }) {
	a.retired.Store(true)
	l.SetDeadline(time.Now().Add(retirement))
}

// leave does so at once: who waits is for the next one that accepts from l.
func (a *acceptor) leave(l interface{ SetDeadline(time.Time) error }) {
	a.retired.Store(true)
	l.SetDeadline(longAgo)
}

func newAcceptor(accept func() (net.Conn, error)) *acceptor {
	return &acceptor{accept: accept, done: make(chan struct{})}
}

func (a *acceptor) next() (net.Conn, error) {
	for {
		c, err := a.accept()
		select {
		case <-a.done:
			if err == nil {
				c.Close()
			}
			return nil, net.ErrClosed
		default:
		}
		if err == nil {
			a.pause = 0
			return c, nil
		}
		if a.retired.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, net.ErrClosed
		}
		if !passing(err) {
			return nil, err
		}
		a.pause = min(max(2*a.pause, acceptPauseMin), acceptPauseMax)
		t := time.NewTimer(a.pause)
		select {
		case <-t.C:
		case <-a.done:
			t.Stop()
			return nil, net.ErrClosed
		}
	}
}

func (a *acceptor) stop() { a.once.Do(func() { close(a.done) }) }

// passing reports whether accepting may work again by itself.
func passing(err error) bool {
	for _, e := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.EPERM, // a firewall says EPERM
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
