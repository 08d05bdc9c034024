package ipc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/ekkojs/ipc/auth"
	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/internal/registry"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// Service answers the requests of its clients and publishes events to them.
// Its methods may be called at any time from any goroutine, but for Handle
// and HandleDefault, which come before Serve.
type Service struct {
	manifest  *manifest.Manifest
	opts      ServiceOptions
	logger    *slog.Logger // says which service it is
	name      string
	methods   map[string]*method
	other     Handler // for declared methods without a handler of their own; may be nil
	hub       *hub.Hub
	budgets   *budgets
	memory    store.Store             // of the channels that keep their events as long as the service lives
	snapshots map[string]SnapshotFunc // by channel; not changed once Serve has begun
	watchdog  *session.Watchdog
	limit     *limit // of the requests that run at once
	starts    *limit // of the goroutines given to requests that have yet to begin
	dedupe    dedupe
	started   time.Time
	counts    counts

	mu        sync.Mutex // guards all below
	state     serviceState
	misuse    error // the first mistake of the program that sets the service up
	listeners []transport.Listener
	peers     map[*peer]struct{}
	locals    map[*Subscription]struct{}
	accepting sync.WaitGroup
	ready     chan struct{} // closed when clients can connect
	stopped   chan struct{} // closed when Shutdown is through
}

type serviceState uint8

const (
	stateNew serviceState = iota
	stateServing
	stateStopping
)

// NewService returns a service that is what m promises. A nil m is a mistake
// of the program and panics.
func NewService(m *manifest.Manifest, opts *ServiceOptions) *Service {
	if m == nil {
		panic("ipc: NewService without a manifest")
	}
	s := &Service{
		manifest: m,
		opts:     opts.orDefault(),
		name:     m.Service.Name,
		methods:  map[string]*method{},
		watchdog: &session.Watchdog{},
		started:  time.Now(),
		peers:    map[*peer]struct{}{},
		locals:   map[*Subscription]struct{}{},
		ready:    make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	s.opts.MaxConnections = cmp.Or(s.opts.MaxConnections, m.Service.Transport.MaxConnections, DefaultMaxConnections)
	s.logger = s.opts.Logger.With("service", s.name)
	s.budgets = newBudgets(s.opts.MaxHeldPerUser, s.opts.MaxHeld)
	streams, err := s.openChannels()
	if err != nil {
		s.misuse = err
	}
	s.hub = hub.New(&hub.Options{MaxFrame: s.opts.MaxFrame, Streams: streams})
	s.limit = s.newLimit(s.opts.MaxConcurrent, s.name)
	s.starts = s.newStarts()
	s.dedupe.window, s.dedupe.held = s.opts.DedupeWindow, s.limit.held
	for name, decl := range m.Methods {
		s.methods[name] = s.newMethod(name, decl)
	}
	return s
}

// Manifest returns what the service promises.
func (s *Service) Manifest() *manifest.Manifest { return s.manifest }

// Handle makes h answer the calls of method, which the manifest declares. A
// mistake (an unknown method, a second handler) is reported by Serve.
func (s *Service) Handle(name string, h Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.methods[name]
	switch {
	case s.state != stateNew:
		s.blame("Handle(%q) comes before Serve", name)
	case m == nil:
		hint := ""
		if near := manifest.Closest(name, s.manifest.MethodNames()); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		s.blame("the manifest of %s declares no method %q%s", s.name, name, hint)
	case m.handler != nil:
		s.blame("method %q has a handler already", name)
	case h == nil:
		s.blame("the handler of %q is nil", name)
	default:
		m.handler = intercept(noted(h), s.opts.Interceptors)
	}
}

// HandleDefault makes h answer the calls of every declared method that has no
// handler of its own. Without it they are answered UNIMPLEMENTED.
func (s *Service) HandleDefault(h Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateNew {
		s.blame("HandleDefault comes before Serve")
		return
	}
	s.other = intercept(noted(h), s.opts.Interceptors)
}

func (s *Service) blame(format string, args ...any) {
	if s.misuse == nil {
		s.misuse = fmt.Errorf("ipc: "+format, args...)
	}
}

// Serve accepts clients at the addresses until ctx ends or Shutdown is called;
// then it returns nil once running requests are through, or after
// ServiceOptions.DrainTimeout. Any other return is an error, and nothing of
// the service is left behind.
//
// If no address is given these are the sockets that the process was started
// with, as by systemd, if one is named like the service or is the only one.
// Else they are where the manifest says: its transport and its fallbacks,
// apart from fallbacks that cannot be served, of which the log tells.
func (s *Service) Serve(ctx context.Context, addresses ...string) error {
	if err := s.start(ctx, addresses); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.DrainTimeout)
		defer cancel()
		s.Shutdown(drain) // what is not through by then is cut off, as documented
	case <-s.stopped:
	}
	return nil
}

// mostWarnings is how many warnings of a manifest are logged when it is
// served; ekko-ipc check shows them all.
const mostWarnings = 8

// tellOfManifest logs what in the manifest may have no effect, as a field with
// a misspelled name has none.
func (s *Service) tellOfManifest() {
	warnings := s.manifest.Warnings
	for _, w := range warnings[:min(len(warnings), mostWarnings)] {
		s.logger.Warn("ipc: the manifest: "+w.Message, "rule", w.Rule, "path", w.Path, "file", s.manifest.Path, "line", w.Line)
	}
	if more := len(warnings) - mostWarnings; more > 0 {
		s.logger.Warn("ipc: the manifest has further warnings: ekko-ipc check shows them", "more", more)
	}
}

// start opens the listeners and begins to accept.
func (s *Service) start(ctx context.Context, addresses []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.misuse != nil:
		return s.misuse
	case s.state == stateServing:
		return errors.New("ipc: Serve was called already")
	case s.state == stateStopping:
		return ErrClosed
	}
	broken, err := s.hub.OpenGroups()
	if err != nil {
		return err
	}
	for _, b := range broken {
		s.logger.Error("ipc: what is kept of a group is damaged: all that its channel keeps is delivered to it once more, as redelivered",
			"code", string(wire.CodeDataLoss), "channel", b.Stream, "group", b.Group)
	}
	for _, m := range s.methods {
		if m.handler == nil {
			m.handler = s.other
		}
	}
	if err := s.listenLocked(ctx, addresses); err != nil {
		return err
	}
	s.tellOfManifest()
	s.state = stateServing
	reached := make([]string, len(s.listeners))
	for i, l := range s.listeners {
		reached[i] = l.Addr()
		s.accepting.Go(func() { s.accept(l) })
	}
	close(s.ready)
	if s.opts.Ready != nil {
		s.opts.Ready(reached)
	}
	return nil
}

// transportOptions are those of a listener.
func (s *Service) transportOptions(address string) *transport.Options {
	return &transport.Options{
		MaxFrame:     s.opts.MaxFrame,
		FrameTimeout: s.opts.FrameTimeout,
		TLS:          registry.ServerTLS(s.manifest, address, s.opts.TLS),
		AllowHosts:   s.opts.AllowHosts,
		InsecureTCP:  s.opts.InsecureTCP,
		OnError:      func(err error) { s.logger.Warn("ipc: "+err.Error(), "address", address) },
	}
}

// Ready returns a channel that is closed when clients can connect.
// ServiceOptions.Ready is told where.
func (s *Service) Ready() <-chan struct{} { return s.ready }

func (s *Service) accept(l transport.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.logger.Error("ipc: no longer accepting clients", "address", l.Addr(), "error", err.Error())
			}
			return
		}
		s.welcome(conn)
	}
}

// welcome starts a session with a new client.
func (s *Service) welcome(conn transport.Conn) {
	caller, err := auth.FromPeer(conn.Peer())
	p := &peer{service: s, caller: caller}
	if err != nil || !s.opts.Admit(caller) {
		p.refused = wire.Errorf(wire.CodeUnauthenticated, "%s does not admit %s", s.name, caller)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateStopping {
		session.TurnAway(conn, session.ShuttingDown())
		return
	}
	if len(s.peers) >= s.opts.MaxConnections {
		e := wire.Errorf(wire.CodeQuotaExceeded, "%s has %d connections, which is all it takes", s.name, len(s.peers))
		e.Details.More = map[string]any{"resource": "connections", "limit": s.opts.MaxConnections}
		session.TurnAway(conn, e)
		return
	}
	s.peers[p] = struct{}{}
	p.start(conn)
}

// Shutdown stops accepting clients, lets running requests finish while new
// ones are told SHUTTING_DOWN, and ends the connections. When ctx ends
// before, what still runs is cut off, and the error is ctx's. Handlers see
// their contexts end then; Shutdown does not wait for those that go on.
func (s *Service) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	first := s.state != stateStopping
	started := s.state == stateServing
	s.state = stateStopping
	listeners, peers := s.listeners, make([]*peer, 0, len(s.peers))
	for p := range s.peers {
		peers = append(peers, p)
	}
	locals := make([]*Subscription, 0, len(s.locals))
	for l := range s.locals {
		locals = append(locals, l)
	}
	s.mu.Unlock()
	if !first {
		select {
		case <-s.stopped:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, l := range listeners {
		l.Retire()
	}
	if started {
		s.accepting.Wait() // those who came before are told
	}
	for _, l := range listeners {
		l.Close()
	}
	errs := make([]error, len(peers))
	var drains sync.WaitGroup
	for i, p := range peers {
		drains.Go(func() { errs[i] = p.session.Drain(ctx) })
	}
	drains.Wait()
	for _, l := range locals {
		l.Close()
	}
	s.hub.Close()
	s.memory.Close()
	s.watchdog.Stop()
	close(s.stopped)
	return errors.Join(slices.CompactFunc(errs, func(a, b error) bool { return a == b })...)
}

// noChannel is the answer to a name that the manifest does not declare.
func (s *Service) noChannel(name string) *Error {
	hint := ""
	if near := manifest.Closest(name, slices.Concat(s.manifest.EventNames(), s.manifest.ChannelNames())); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return wire.Errorf(wire.CodeChannelNotFound, "%s declares no event or channel %q%s", s.name, name, hint)
}

// violation turns what the manifest found into an error of the wire.
func violation(code Code, err error) *Error {
	e := wire.Errorf(code, "%w", err)
	if v, ok := errors.AsType[*manifest.Violation](err); ok {
		e.Details.Path = v.Path
		e.Details.More = map[string]any{"rule": v.Rule}
	}
	return e
}

// asError makes an *Error of any error.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return wire.Errorf(wire.CodeOf(err), "%w", err)
}
