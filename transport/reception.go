//go:build linux || darwin

package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Some transports have no connections by nature: a client leaves word at a
// place that all know, and is met at another that it made for the two.
//
//	client                          service
//	makes the place to meet
//	leaves word        ──────────▶  hears it
//	                                comes to the place, takes its names away
//	is let in          ◀──────────  answers
//
// Who leaves word is no burden before he is met, and who has been met is
// known to the two alone.

// receptionRoom is how many clients that have been met may wait for Accept;
// those after them wait to be met.
const receptionRoom = 64

// reception meets clients for a listener.
type reception struct {
	doorway doorway
	room    chan Conn     // closed by the goroutine in work, when it ends
	done    chan struct{} // closed by stop
	closing sync.Once
	pause   time.Duration // of the goroutine in work: as that of acceptor
}

// doorway is where a listener hears of clients.
type doorway interface {
	// hear returns the next word left. It returns os.ErrDeadlineExceeded
	// when the time has come, and another error after Close.
	hear() ([]byte, error)
	hearUntil(time.Time)

	// meet returns the connection to whom a word is from, or an error if
	// there is nobody: what does not make sense is no more than that.
	meet(word []byte) (Conn, error)

	Close() error
}

// errNoClient is a word that leads nowhere.
var errNoClient = errors.New("transport: whoever left word is not there")

// newReception starts to meet clients. The goroutine ends by stop or retire,
// and closes the doorway.
func newReception(d doorway) *reception {
	r := &reception{doorway: d, room: make(chan Conn, receptionRoom), done: make(chan struct{})}
	go r.work()
	return r
}

func (r *reception) work() {
	defer close(r.room)
	defer r.doorway.Close()
	for {
		word, err := r.doorway.hear()
		if err != nil {
			return
		}
		c := r.meet(word)
		if c == nil {
			continue
		}
		select {
		case r.room <- c:
		case <-r.done:
			c.Close()
			return
		}
	}
}

// meet returns nil if nobody is there. Want of descriptors or memory makes it
// wait, as it makes acceptor.
func (r *reception) meet(word []byte) Conn {
	for {
		c, err := r.doorway.meet(word)
		if err == nil || !passing(err) {
			r.pause = 0
			return c
		}
		r.pause = min(max(2*r.pause, acceptPauseMin), acceptPauseMax)
		t := time.NewTimer(r.pause)
		select {
		case <-t.C:
		case <-r.done:
			t.Stop()
			return nil
		}
	}
}

func (r *reception) next() (Conn, error) {
	c, ok := <-r.room
	if !ok {
		return nil, net.ErrClosed
	}
	select {
	case <-r.done:
		c.Close()
		return nil, net.ErrClosed
	default:
		return c, nil
	}
}

// retire lets those in who have left word, and nobody else.
func (r *reception) retire() { r.doorway.hearUntil(time.Now().Add(retirement)) }

// stop turns everybody away who was not accepted, and returns when nobody is
// met any more.
func (r *reception) stop() error {
	var err error
	r.closing.Do(func() {
		close(r.done)
		err = r.doorway.Close()
		for c := range r.room {
			c.Close()
		}
	})
	return err
}

// visitor is a client that wants to be let in.
type visitor interface {
	// knock leaves word. The error is EAGAIN if there is no room for it now,
	// and EPIPE if nobody hears it.
	knock() error

	// answered waits for the service to come, until then at most; the error
	// is os.ErrDeadlineExceeded then.
	answered(until time.Time) error

	// served reports whether the service that would hear still lives.
	served() bool
}

// letIn has a visitor wait as long as the service lives, the context allows,
// and dialPatience lasts.
func letIn(ctx context.Context, address string, v visitor) error {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	nobody := fmt.Errorf("%w: %s", ErrRefused, address)
	said := false
	for pause := dialPauseMin; ; pause = min(2*pause, dialPauseMax) {
		if !said {
			err := v.knock()
			switch said = err == nil; {
			case errors.Is(err, unix.EPIPE):
				return nobody
			case err != nil && !errors.Is(err, unix.EAGAIN):
				return fmt.Errorf("transport: %s: %w", address, err)
			}
		}
		err := v.answered(time.Now().Add(pause))
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("transport: %s: waiting for the service: %w", address, err)
		case ctx.Err() != nil:
			return fmt.Errorf("transport: %s lets nobody in: %w", address, ctx.Err())
		case !v.served():
			return nobody
		}
	}
}
