package ipc

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// method is one declared method with its handler, interceptors included.
type method struct {
	name    string
	decl    *manifest.Method
	handler Handler // nil: not implemented
	limit   *limit  // how many of its calls may run at once; nil: as many as come
	guarded bool    // it has that, or a time limit: see peer.admit

	// slow is above zero while the method is taken for one that blocks: its
	// calls then get goroutines of their own at once, instead of when the
	// watchdog finds them. Each quick call counts it down.
	slow atomic.Int32
}

func (s *Service) newMethod(name string, decl *manifest.Method) *method {
	m := &method{name: name, decl: decl, guarded: decl.Concurrency > 0 || decl.Timeout > 0}
	if decl.Concurrency > 0 {
		m.limit = s.newLimit(decl.Concurrency, name)
	}
	return m
}

const (
	// slowCredit is how many quick calls in a row a slow method needs to be
	// run on the reading goroutine again.
	slowCredit = 64
	// quickCall is how long a call may take to count as quick, and
	// quickPerByte how much longer for each byte that came with it.
	quickCall    = 200 * time.Microsecond
	quickPerByte = time.Nanosecond
)

// learn notes how a call went. That the watchdog found it says little: the
// thread may have been taken off its processor meanwhile. So the next call is
// run aside, and timed.
func (m *method) learn(in *session.Inbound, aside bool, took time.Duration) {
	switch {
	case aside && took > quickCall+time.Duration(len(in.Data))*quickPerByte:
		m.slow.Store(slowCredit)
	case aside:
		m.slow.Add(-1)
	case in.HandedOver():
		m.slow.CompareAndSwap(0, 1)
	}
}

// counts is what ipc.stats reports.
type counts struct {
	requests, failures, events, panics atomic.Int64
}

// peer is a client, seen from the service.
type peer struct {
	service   *Service
	caller    Caller
	refused   *Error // why nothing is answered; nil if all is well
	session   *session.Session
	outlet    *hub.Outlet // what it hears; nil until its first subscription; guarded by Service.mu
	published tally       // its events on their way into a log
	will      *will       // what is published should it be gone without a goodbye; guarded by Service.mu
	bye       atomic.Bool // it has said goodbye
}

// start begins the session. The caller holds Service.mu.
func (p *peer) start(conn transport.Conn) {
	s := p.service
	p.session = session.New(conn, p, session.Options{
		Inline:      true,
		Watchdog:    s.watchdog,
		Origin:      wire.OriginService,
		MaxFrame:    s.opts.MaxFrame,
		MaxInFlight: s.opts.MaxInFlight,
		Linger:      s.opts.Linger,
		LingerBytes: s.opts.LingerBytes,
		Tap:         s.opts.Tap,
		Peer:        p.caller.String(),
		Closed:      p.closed,
	})
}

func (p *peer) closed(err error) {
	s := p.service
	s.mu.Lock()
	delete(s.peers, p)
	outlet, last := p.outlet, p.will
	ending := s.state == stateStopping // then it is the service that goes
	s.mu.Unlock()
	if outlet != nil {
		left := outlet.All()
		outlet.Close()
		s.budgets.leave(p.caller)
		for _, e := range left {
			p.announce("leave", e)
		}
	}
	if last != nil && !p.bye.Load() && !ending {
		p.executeWill(last)
	}
}

// Request implements session.Handler.
func (p *peer) Request(in *session.Inbound) {
	s := p.service
	if p.refused != nil {
		in.Fail(p.refused)
		return
	}
	switch in.Type {
	case wire.TypeSubscribe:
		p.subscribe(in)
		return
	case wire.TypeUnsubscribe:
		p.unsubscribe(in)
		return
	}
	m, err := s.find(in)
	if err != nil {
		s.counts.failures.Add(1)
		in.Fail(err)
		return
	}
	if m == nil {
		s.reserved(p, in)
		return
	}
	if m.decl.Stream != manifest.StreamNone {
		in.Streams()
	}
	if m.guarded || in.Meta.IdempotencyKey != nil || !s.limit.enter() {
		p.admit(in, m)
		return
	}
	switch {
	case in.Streaming(): // which lasts: when it begins matters little
		if !in.Go(func(in *session.Inbound) { p.run(in, m, true) }) {
			s.limit.leave()
		}
	case m.slow.Load() > 0:
		p.runAside(in, m)
	default:
		p.run(in, m, false)
	}
}

// runAside is run on a goroutine of its own. The goroutines that have not
// begun are limited: see newStarts.
func (p *peer) runAside(in *session.Inbound, m *method) {
	s := p.service
	if !s.starts.enter() && !s.starts.burst() {
		t := p.ticket(in, m)
		t.passed = numLimits
		t.proceed()
		return
	}
	if !in.Go(func(in *session.Inbound) {
		s.starts.begun(false)
		p.run(in, m, true)
	}) {
		s.starts.leave()
		s.limit.leave()
	}
}

// find returns the method that a request names, or nil for one of the
// reserved service "ipc".
func (s *Service) find(in *session.Inbound) (*method, *Error) {
	name := in.Action
	service, rest := s.splitChannel(in.Channel)
	switch {
	case len(name) == 0:
		name = rest
	case len(rest) != 0 && string(rest) != string(name):
		return nil, wire.Errorf(wire.CodeProtocolError, "channel %q and action %q name different methods", in.Channel, name)
	}
	if string(service) == "ipc" {
		return nil, nil
	}
	if len(service) != 0 && string(service) != s.name {
		e := wire.Errorf(wire.CodeServiceNotFound, "this is %s, not %s", s.name, service)
		return nil, e
	}
	if m := s.methods[string(name)]; m != nil {
		return m, nil
	}
	if err := wire.CheckName(string(name)); err != nil {
		return nil, asError(err)
	}
	hint := ""
	if near := manifest.Closest(string(name), s.manifest.MethodNames()); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return nil, wire.Errorf(wire.CodeMethodNotFound, "%s has no method %q%s", s.name, name, hint)
}

// splitChannel takes a request's channel apart into service and method, one
// of which may be empty. The service's own name may have dots in it.
func (s *Service) splitChannel(channel []byte) (service, method []byte) {
	n := len(s.name)
	if len(channel) >= n && string(channel[:n]) == s.name {
		if len(channel) == n {
			return channel, nil
		}
		if channel[n] == '.' {
			return channel[:n], channel[n+1:]
		}
	}
	return wire.SplitChannel(channel)
}

// run carries out one call and answers it. aside says that it has a
// goroutine of its own. The caller has entered Service.limit for it.
func (p *peer) run(in *session.Inbound, m *method, aside bool) {
	s := p.service
	defer s.limit.leave()
	s.counts.requests.Add(1)
	c := &call{Request: Request{Method: m.name, Data: Raw(in.Data), Caller: p.caller, decl: m.decl, stream: in.Stream(), from: in.Session()}}
	c.way = &c.came
	if err := s.check(in, m, c); err != nil {
		s.fail(in, err)
		return
	}
	in.Start(&c.Context)
	var began time.Time
	if aside {
		began = time.Now()
	}
	result, panicked, err := invoke(m.handler, c, s.logger)
	if panicked {
		s.counts.panics.Add(1)
	}
	p.answer(in, m, c, result, err)
	c.End()
	if aside {
		m.learn(in, true, time.Since(began))
	} else {
		m.learn(in, false, 0)
	}
}

// check returns why a request is not handed to its handler, nil if it is.
func (s *Service) check(in *session.Inbound, m *method, c *call) *Error {
	if m.handler == nil {
		return wire.Errorf(wire.CodeUnimplemented, "%s declares %s but does not implement it", s.name, m.name)
	}
	if err := c.bindTo(c.few[:0]); err != nil {
		return violation(wire.CodeSchemaMismatch, err)
	}
	if in.Late() {
		return tooLate()
	}
	return nil
}

// answer sends a handler's outcome.
func (p *peer) answer(in *session.Inbound, m *method, c *call, result any, err error) {
	text, failure := p.encode(m, c, result, err)
	if failure != nil {
		p.service.fail(in, failure)
		return
	}
	in.ReplyText(text)
	text.Release()
}

// encode returns a handler's result as text, or the error to answer with.
func (p *peer) encode(m *method, c *call, result any, err error) (*session.Text, *Error) {
	s := p.service
	if err != nil {
		return nil, handlerError(err, c.Err(), c.came, sameUser(p.caller))
	}
	var text *session.Text
	switch {
	case m.decl.Stream != manifest.StreamServer && m.decl.Stream != manifest.StreamBoth:
		if text, err = jsonText(result); err == nil {
			err = m.decl.CheckResult(text.JSON())
		}
	case result == nil:
		text, err = jsonText(nil)
	default:
		err = fmt.Errorf("%s streams to its caller: it answers by Request.Send, and returned a %T", m.name, result)
	}
	if err != nil {
		s.logger.Error("ipc: a result does not fit the manifest", "method", m.name, "error", err.Error())
		if text != nil {
			text.Release()
		}
		return nil, violation(wire.CodeResponseSchemaMismatch, err)
	}
	return text, nil
}

func (s *Service) fail(in *session.Inbound, err *Error) {
	s.counts.failures.Add(1)
	in.Fail(err)
}

// invoke runs a handler and makes an error of its panic, which it logs.
func invoke(h Handler, c *call, logger *slog.Logger) (result any, panicked bool, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			id := wire.NewUUID()
			logger.Error("ipc: a handler panicked", "method", c.Method, "errorId", id,
				"panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			e := wire.Errorf(wire.CodeHandlerFailed, "the handler panicked; its log has the cause under %s", id)
			e.Details.More = map[string]any{"errorId": id}
			panicked, err = true, e
		}
	}()
	result, err = h(c, &c.Request)
	return result, false, err
}

// Stray implements session.Handler. A service sends nothing that it does not
// wait for.
func (p *peer) Stray([]byte, *Error) {}
