package session

import (
	"errors"
	"strconv"
	"time"

	"github.com/ekkojs/ipc/wire"
)

// maxPings is how many pings in a row may go without a word from the peer.
const maxPings = 2

// pingPrefix begins the ids of pings, whose answers are not asked for by
// anybody: that something came is all that counts.
var pingPrefix = []byte("ipc.ping-")

// errSilent is why a session ends whose peer is connected and says nothing.
var errSilent = errors.New("the peer has stopped answering")

// pings watch a peer of which something is expected. Guarded by Session.mu.
type pings struct {
	timer   *time.Timer // nil until something was expected
	running bool
	frames  uint64 // received by the last tick
	sent    int    // since something was received
}

func (p *pings) stopLocked() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// expectLocked says that the peer owes something from now on.
func (s *Session) expectLocked() {
	p := &s.pings
	if p.running || s.opts.PingInterval < 0 {
		return
	}
	p.running, p.sent, p.frames = true, 0, s.frames.Load()
	if p.timer == nil {
		p.timer = time.AfterFunc(s.opts.PingInterval, s.checkPeer)
		return
	}
	p.timer.Reset(s.opts.PingInterval)
}

// checkPeer is one tick.
func (s *Session) checkPeer() {
	s.mu.Lock()
	p := &s.pings
	if s.ended || len(s.calls.active) == 0 && s.keep == 0 {
		p.running = false
		s.mu.Unlock()
		return
	}
	if heard := s.frames.Load(); heard != p.frames {
		p.frames, p.sent = heard, 0
	} else if p.sent >= maxPings {
		s.mu.Unlock()
		s.fail(errSilent)
		return
	} else {
		p.sent++
		s.pingLocked()
	}
	p.timer.Reset(s.opts.PingInterval)
	s.mu.Unlock()
}

func (s *Session) pingLocked() {
	m := wire.Message{Type: wire.TypeRequest, Channel: pingChannel}
	s.freshLocked(&m, time.Now())
	m.MessageID = strconv.AppendUint(append([]byte(nil), pingPrefix...), s.pings.frames, 10)
	s.appendLocked(&m) // a peer that takes nothing will say nothing
	s.outbox.due = true
	s.kickLocked()
}

var pingChannel = []byte("ipc.ping")
