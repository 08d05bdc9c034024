package ipc

import (
	"sync"

	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/wire"
)

// Subscribe hears the events that match pattern within the service itself:
// what the service publishes, and what its clients publish to it. See
// Client.Subscribe.
func (s *Service) Subscribe(pattern string, opts *SubscribeOptions) (*Subscription, error) {
	l := &local{service: s}
	sub, err := newSubscription(pattern, opts, l.close)
	if err != nil {
		return nil, err
	}
	if err := s.checkPattern(sub.name); err != nil {
		return nil, err
	}
	l.sub, sub.settle, sub.more = sub, l.settle, l.drain
	sub.grouped = sub.grouped || s.manifest.ChannelByName(sub.name).IsQueue()
	l.outlet = s.hub.NewOutlet(l.drain, &hub.OutletOptions{
		QueueMessages: sub.opts.Queue,
		QueueBytes:    sub.opts.QueueBytes,
		OnEnd:         func(_ hub.Ended, err error) { s.hub.Go(func() { sub.finish(err) }) },
	})
	s.mu.Lock()
	if s.state == stateStopping {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	s.locals[sub] = struct{}{}
	s.mu.Unlock()
	if err := l.enter(); err != nil {
		sub.Close()
		return nil, err
	}
	return sub, nil
}

// local moves events from the hub to a subscription within the service.
type local struct {
	service *Service
	sub     *Subscription
	outlet  *hub.Outlet
	id      string // of the subscription there

	mu    sync.Mutex // one mover at a time, so that the order is kept
	kind  *eventKind // of the last event
	clock wire.Unstamper
}

// enter subscribes at the hub as the subscription's options say.
func (l *local) enter() error {
	o := &l.sub.opts
	w, err := o.wish()
	if err != nil {
		return err
	}
	w.Limit = max(o.Limit, 0)
	sep, snapshot, failure := l.service.separate(l.sub.name, &w)
	if failure != nil {
		return failure
	}
	if snapshot {
		return wire.Errorf(wire.CodeInvalidArgument, "the service itself has the state of %s: it needs no snapshot", l.sub.name)
	}
	policy := hub.PolicyDropOldest
	if o.Disconnect {
		policy = hub.PolicyDisconnect
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.id, _, err = l.outlet.Subscribe(l.sub.name, policy, sep)
	return err
}

// drain moves events as long as the reader keeps up. The hub calls it when
// events wait, and the reader when it has room again: what it does not take
// waits or is lost there, as for everybody else.
func (l *local) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.sub.full() {
		frame, ok := l.outlet.Next()
		if !ok {
			return
		}
		l.give(frame)
	}
}

// give hands a message of the hub to the subscription.
func (l *local) give(frame []byte) {
	var m wire.Message
	var md wire.Metadata
	if err := (*wire.Limits)(nil).Decode(frame, &m); err != nil {
		panic("ipc: the hub made a frame that cannot be read: " + err.Error())
	}
	if m.Metadata != nil {
		if err := (*wire.Limits)(nil).DecodeMetadata(m.Metadata, &md); err != nil {
			panic("ipc: the hub made metadata that cannot be read: " + err.Error())
		}
	}
	if m.Type != wire.TypeEvent {
		return // the subscription has ended: OnEnd says so
	}
	if !l.kind.is(&m, &md) {
		l.kind = kindOf(&m, &md)
	}
	arrival{kind: l.kind, message: &m, meta: &md, time: l.clock.Parse(m.Timestamp)}.give(l.sub)
}

func (l *local) close(sub *Subscription) {
	l.outlet.Close()
	s := l.service
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.locals, sub)
}
