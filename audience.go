package ipc

import (
	"context"
	"fmt"

	"github.com/ekkojs/ipc/internal/filter"
	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

// separate returns what makes a subscription one of its own, if anything does.
func (s *Service) separate(pattern string, w *wish) (sep hub.Separate, snapshot bool, failure *Error) {
	if w.Subscription != "" && !isID(w.Subscription) {
		return sep, false, wire.Errorf(wire.CodeInvalidArgument, `"subscription" is an id of 1 to 64 letters, digits, "-" and "_"`)
	}
	group, failure := s.groupOf(pattern, w)
	if failure != nil {
		return sep, false, failure
	}
	if group != nil {
		sep, failure = s.join(pattern, group, w.Subscription)
		return sep, false, failure
	}
	if w.Window < 0 || w.Window > MaxWindow {
		return sep, false, wire.Errorf(wire.CodeInvalidArgument, `"window" is at most %d bytes, not %d`, MaxWindow, w.Window)
	}
	sep.ID, sep.Window, sep.Plain = w.Subscription, w.Window, w.Plain && w.Subscription != ""
	if sep.From, snapshot, failure = w.from(); failure != nil {
		return sep, false, failure
	}
	if w.Filter != "" {
		f, err := filter.Parse(w.Filter)
		if err != nil {
			return sep, false, asError(err)
		}
		sep.Filter = f
	}
	sep.From = s.hub.Look(pattern, sep.From, sep.Filter) // here, where it holds up nobody
	return sep, snapshot, nil
}

func isID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// subscribe answers a subscription. The pattern is the channel.
func (p *peer) subscribe(in *session.Inbound) {
	s := p.service
	pattern := string(wire.EventName(in.Channel))
	var w wish
	if in.Data != nil {
		if err := Raw(in.Data).Decode(&w); err != nil {
			s.fail(in, wire.Errorf(wire.CodeInvalidArgument, "the data of a subscribe is an object of options: %v", err))
			return
		}
	}
	if err := s.checkPattern(pattern); err != nil {
		s.fail(in, err)
		return
	}
	policy, err := w.policy()
	if err != nil {
		s.fail(in, err)
		return
	}
	sep, snapshot, err := s.separate(pattern, &w)
	switch {
	case err != nil:
		s.fail(in, err)
	case snapshot:
		in.Go(func(in *session.Inbound) { p.subscribeToState(in, pattern, policy, sep) })
	default:
		p.enter(in, pattern, policy, sep)
	}
}

// checkPattern says what is wrong with subscribing to a pattern.
func (s *Service) checkPattern(pattern string) *Error {
	parsed, err := wire.ParsePattern(pattern)
	if err != nil {
		return asError(err)
	}
	if parsed.IsLiteral() && pattern != presenceChannel && !s.manifest.Publishable(pattern) {
		return s.noChannel(pattern)
	}
	return nil
}

// enter puts a subscription into effect and answers it.
func (p *peer) enter(in *session.Inbound, pattern string, policy hub.Policy, sep hub.Separate) {
	if err := p.tryEnter(in, pattern, policy, sep); err != nil {
		p.service.fail(in, err)
	}
}

// tryEnter is enter that leaves it to the caller to answer a failure.
func (p *peer) tryEnter(in *session.Inbound, pattern string, policy hub.Policy, sep hub.Separate) (failure *Error) {
	outlet := p.outletOf()
	var id string
	in.ReplyAtomically(func() ([]byte, *Error) {
		var start hub.Start
		var err error
		if id, start, err = outlet.Subscribe(pattern, policy, sep); err != nil {
			failure = asError(err)
			return nil, nil
		}
		return subscribed(id, pattern, sep.Group.Name, start), nil
	})
	if failure == nil {
		e := hub.Ended{ID: id, Pattern: pattern}
		if sep.Team != nil {
			e.Group, e.Durable = sep.Team.Name(), sep.Group.Exclusive
		}
		p.announce("join", e)
	}
	return failure
}

// outletOf returns what the peer hears, which it gets with its first
// subscription. Of a peer that is gone that is nothing any more.
func (p *peer) outletOf() *hub.Outlet {
	s := p.service
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, here := s.peers[p]; p.outlet == nil && !here {
		gone := s.hub.NewOutlet(p.session.Kick, nil)
		gone.Close()
		return gone
	}
	if p.outlet == nil {
		p.outlet = s.hub.NewOutlet(p.session.Kick, &hub.OutletOptions{
			Budget: s.budgets.join(p.caller),
			Owner:  p,
			OnLoss: p.losing,
			OnEnd:  p.cutOff,
			Merged: p.merged,
		})
		p.session.SetSource(p.outlet)
	}
	return p.outlet
}

// losing tells the operator that a subscriber does not keep up.
func (p *peer) losing() {
	p.service.logger.Warn("ipc: a subscriber does not keep up and loses events",
		"code", string(wire.CodeSlowConsumer), "pid", p.caller.PID, "uid", p.caller.UID, "exe", p.caller.Exe())
}

// cutOff tells the operator that a subscription has been ended. The client is
// told by the outlet.
func (p *peer) cutOff(e hub.Ended, err error) {
	p.service.logger.Warn("ipc: a subscription was ended: "+err.Error(), "pattern", e.Pattern,
		"code", string(wire.CodeOf(err)), "pid", p.caller.PID, "uid", p.caller.UID, "exe", p.caller.Exe())
	p.announce("leave", e)
}

// merged is what a client is told when a subscription has become a plain one:
// where its events come without an id from.
func (p *peer) merged(id, pattern string, start hub.Start) []byte {
	data := subscribed(id, pattern, "", start)
	if len(data) > orElse(p.service.opts.MaxFrame, transport.DefaultMaxFrame)/2 {
		return null // it takes what comes as it comes
	}
	return data
}

// maxStarts bounds the streams whose start the answer to a pattern lists, so
// that it fits into a frame.
const maxStarts = 1000

// subscribed is the data of the answer to a subscription.
func subscribed(id, pattern, group string, start hub.Start) []byte {
	answer := struct {
		Subscription string                `json:"subscription"`
		From         cursorText            `json:"from"`
		Stream       string                `json:"stream,omitempty"`
		Group        string                `json:"group,omitempty"`
		Channels     map[string]cursorText `json:"channels,omitempty"`
	}{Subscription: id, From: cursorText(start.Cursor), Group: group}
	if start.Stream != pattern {
		answer.Stream = start.Stream
	}
	for name, c := range start.Channels {
		if len(answer.Channels) == maxStarts {
			break // of the others a gap before their first event is not seen
		}
		if answer.Channels == nil {
			answer.Channels = map[string]cursorText{}
		}
		answer.Channels[name] = cursorText(c)
	}
	data, err := appendJSON(nil, answer)
	if err != nil {
		panic("ipc: the answer to a subscription is not JSON: " + err.Error())
	}
	return data
}

// unsubscribe ends the subscription whose id is in data, or without data all
// those of the pattern that is the channel.
func (p *peer) unsubscribe(in *session.Inbound) {
	s := p.service
	var which struct {
		Subscription string `json:"subscription"`
	}
	if err := Raw(in.Data).Decode(&which); in.Data != nil && (err != nil || which.Subscription == "") {
		s.fail(in, wire.Errorf(wire.CodeSchemaMismatch, `unsubscribe names its subscription in data: {"subscription":"…"}; or, without data, a pattern in channel`))
		return
	}
	pattern := string(wire.EventName(in.Channel))
	outlet := p.outletOf()
	var ended []hub.Ended
	in.ReplyAtomically(func() ([]byte, *Error) {
		if in.Data == nil {
			ended = outlet.UnsubscribePattern(pattern)
		} else {
			ended = outlet.Unsubscribe(which.Subscription)
		}
		switch {
		case len(ended) > 0:
			return null, nil
		case in.Data == nil:
			return nil, wire.Errorf(wire.CodeNotFound, "there is no subscription to %q on this connection", pattern)
		}
		return nil, wire.Errorf(wire.CodeNotFound, "there is no subscription %q on this connection", which.Subscription)
	})
	for _, e := range ended {
		p.announce("leave", e)
	}
}

var null = []byte("null")

// SnapshotFunc returns the state that a channel's events change, and the
// place of the first event that the state does not contain. To be exact it
// reads both, by [Service.Next], under the lock under which the service
// changes the state and publishes the change.
type SnapshotFunc func(ctx context.Context, caller Caller) (state any, next Cursor, err error)

// HandleSnapshot lets subscribers of channel begin with its state: who
// subscribes from the snapshot (FromSnapshot) gets the state first and then
// each event that changes it, nothing twice and nothing left out. It comes
// before Serve. The channel should keep events (by "retention" in the
// manifest) that are published while the state is fetched; without that it is
// fetched again until none was.
func (s *Service) HandleSnapshot(channel string, fn SnapshotFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state != stateNew:
		s.blame("HandleSnapshot(%q) comes before Serve", channel)
	case fn == nil:
		s.blame("the snapshot of %q is nil", channel)
	case !s.manifest.Publishable(channel):
		s.blame("%v", s.noChannel(channel))
	case s.snapshots[channel] != nil:
		s.blame("channel %q has a snapshot already", channel)
	default:
		if s.snapshots == nil {
			s.snapshots = map[string]SnapshotFunc{}
		}
		s.snapshots[channel] = fn
	}
}

// Cursor is a place in the events of a channel.
type Cursor = hub.Cursor

// Next returns the place that the next event of that name, or of the channel
// of that name, will have.
func (s *Service) Next(name string) Cursor { return s.hub.Next(name) }

// snapshotTries is how often a state is fetched for one subscriber while
// events that are not kept overtake it.
const snapshotTries = 5

// subscribeToState is enter for a subscription that begins with a state. It
// runs on a goroutine of its own, since the state is the user's to fetch.
func (p *peer) subscribeToState(in *session.Inbound, pattern string, policy hub.Policy, sep hub.Separate) {
	s := p.service
	fn := s.snapshots[pattern]
	if fn == nil {
		s.fail(in, wire.Errorf(wire.CodeInvalidArgument, "%s has no snapshot of %q to begin with", s.name, pattern))
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), in.Left())
	defer cancel()
	var failure *Error
	for range snapshotTries {
		state, next, err := fn(ctx, p.caller)
		if err != nil {
			s.fail(in, handlerError(err, ctx.Err(), 0, sameUser(p.caller)))
			return
		}
		text, err := appendJSON(nil, state)
		if err != nil {
			s.fail(in, wire.Errorf(wire.CodeHandlerFailed, "the snapshot of %s: %v", pattern, err))
			return
		}
		sep.From, sep.Snapshot = hub.From{Kind: hub.FromCursor, Cursor: next}, text
		if failure = p.tryEnter(in, pattern, policy, sep); failure == nil || failure.Code != wire.CodeCursorInvalid {
			break
		}
	}
	if failure != nil {
		s.fail(in, failure)
	}
}

// Listener is one subscription, as Client.Who and the events of ipc.presence
// tell of it.
type Listener struct {
	Kind         string `json:"kind,omitempty"` // "join" or "leave", in an event of ipc.presence
	Subscription string `json:"subscription"`   // the id, which is unique on its connection
	Pattern      string `json:"pattern"`
	Group        string `json:"group,omitempty"`  // that it is a member of
	Durable      bool   `json:"durable,omitzero"` // the group is its own, by its name
	Known        bool   `json:"known"`            // the kernel says who it is: what follows means something
	PID          int32  `json:"pid,omitzero"`
	UID          uint32 `json:"uid"`           // 4294967295, nobody's, where users have a SID
	SID          string `json:"sid,omitempty"` // on Windows
	Exe          string `json:"exe,omitempty"`

	// What waits for the subscription, what it has had and what it has lost.
	// Subscriptions of a connection that share their events share these too.
	Queued    int    `json:"queued"`
	Delivered uint64 `json:"delivered"`
	Dropped   uint64 `json:"dropped"`
}

// who lists the subscriptions of all clients, and of the service itself.
func (s *Service) who() []Listener {
	list := []Listener{}
	for _, l := range s.hub.Who() {
		w := Listener{Subscription: l.ID, Pattern: l.Pattern, Group: l.Group, Durable: l.Durable, Queued: l.Queued, Delivered: l.Delivered, Dropped: l.Dropped}
		if p, ok := l.Owner.(*peer); ok {
			w.describe(p.caller)
		}
		list = append(list, w)
	}
	return list
}

func (w *Listener) describe(c Caller) {
	w.Known, w.PID, w.UID, w.SID, w.Exe = c.Known, c.PID, c.UID, c.SID, c.Exe()
}

// presenceChannel tells who comes and goes. Only those hear it who name it.
const presenceChannel = "ipc.presence"

// announce tells those who want to know that somebody has come or gone.
func (p *peer) announce(kind string, which hub.Ended) {
	s := p.service
	if !s.hub.Heard(presenceChannel) {
		return
	}
	w := Listener{Kind: kind, Subscription: which.ID, Pattern: which.Pattern, Group: which.Group, Durable: which.Durable}
	w.describe(p.caller)
	if data, err := appendJSON(nil, w); err == nil {
		s.hub.Publish(context.Background(), hub.Publication{Name: presenceChannel, Data: data})
	}
}

// will is an event that is published for a client that is gone without a
// goodbye.
type will struct {
	Event string `json:"event"`
	Data  Raw    `json:"data,omitempty"`
}

// leaveWill answers ipc.will: the client's will from now on, or none.
func (p *peer) leaveWill(in *session.Inbound) {
	s := p.service
	args, err := positional(Raw(in.Data))
	if err != nil || len(args) != 1 {
		s.fail(in, wire.Errorf(wire.CodeSchemaMismatch, `ipc.will takes {"event":"…","data":…}, or null`))
		return
	}
	var w *will
	if err := args[0].Decode(&w); err != nil {
		s.fail(in, asError(err))
		return
	}
	if w != nil {
		failure := s.checkEvent(w.Event, w.Data)
		if failure == nil {
			failure = s.mayPublish(w.Event)
		}
		if err := s.hub.Fits(w.Data); failure == nil && err != nil {
			failure = asError(err)
		}
		if failure != nil {
			s.fail(in, failure)
			return
		}
	}
	s.mu.Lock()
	p.will = w
	s.mu.Unlock()
	in.Reply(null)
}

// executeWill publishes what a client that is gone wanted.
func (p *peer) executeWill(w *will) {
	s := p.service
	s.hub.PublishThen(context.Background(), hub.Publication{Name: w.Event, Data: w.Data}, func(_ hub.Receipt, err error) {
		if err != nil {
			s.logger.Error(fmt.Sprintf("ipc: the will of a client was not published: %v", err), "event", w.Event)
		}
	})
}
