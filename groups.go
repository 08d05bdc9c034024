package ipc

import (
	"context"
	"time"

	"github.com/ekkojs/ipc/internal/filter"
	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// DefaultGroup is the group of those who subscribe to a queue and name none.
const DefaultGroup = "default"

// The bounds of what a member of a group may ask for.
const (
	MaxCredit  = 1000
	MaxAckWait = time.Hour
)

// groupOf returns which group a subscription is to join, nil if none.
func (s *Service) groupOf(pattern string, w *wish) (*hub.GroupOptions, *Error) {
	name := w.Group
	switch {
	case w.Group != "" && w.Durable != "":
		return nil, wire.Errorf(wire.CodeInvalidArgument, `a subscription has a "group", whose members share the messages, or a "durable" name of its own, and not both`)
	case w.Durable != "":
		name = w.Durable
	case w.Group == "" && !s.manifest.ChannelByName(pattern).IsQueue():
		return nil, nil
	case w.Group == "":
		name = DefaultGroup
	}
	if !isID(name) {
		return nil, wire.Errorf(wire.CodeInvalidArgument, `the name of a group has 1 to 64 letters, digits, "-" and "_", and is not %q`, name)
	}
	if w.Credit < 0 || w.Credit > MaxCredit {
		return nil, wire.Errorf(wire.CodeInvalidArgument, `"credit" is 1 to %d events, not %d`, MaxCredit, w.Credit)
	}
	if w.Limit < 0 {
		return nil, wire.Errorf(wire.CodeInvalidArgument, `"limit" is how many events the member takes, 1 or more, not %d`, w.Limit)
	}
	wait := time.Duration(w.AckWaitMS) * time.Millisecond
	if w.AckWaitMS < 0 || w.AckWaitMS > MaxAckWait.Milliseconds() {
		return nil, wire.Errorf(wire.CodeInvalidArgument, `"ackWaitMs" is at most %d, not %d`, MaxAckWait.Milliseconds(), w.AckWaitMS)
	}
	o := &hub.GroupOptions{Name: name, Exclusive: w.Durable != "", Credit: w.Credit, Limit: w.Limit, AckWait: wait}
	if w.Filter != "" {
		if !o.Exclusive {
			return nil, wire.Errorf(wire.CodeInvalidArgument, `the members of a group share all messages: a "filter" needs a "durable" name of its own`)
		}
		f, err := filter.Parse(w.Filter)
		if err != nil {
			return nil, asError(err)
		}
		o.Filter = f.Match
	}
	from, snapshot, failure := w.from()
	if failure == nil && snapshot {
		failure = wire.Errorf(wire.CodeInvalidArgument, "a group does not begin with a snapshot")
	}
	o.From = from
	return o, failure
}

// join returns what makes a subscription the member of a group.
func (s *Service) join(pattern string, o *hub.GroupOptions, id string) (hub.Separate, *Error) {
	team, err := s.hub.Team(pattern, o)
	if err != nil {
		return hub.Separate{}, asError(err)
	}
	return hub.Separate{ID: id, Team: team, Group: *o}, nil
}

// verdict is the data of ipc.ack, ipc.nak and ipc.reject.
type verdict struct {
	Subscription string   `json:"subscription"`
	Seq          uint64   `json:"seq"`
	Seqs         []uint64 `json:"seqs"`
	DelayMS      int64    `json:"delayMs"`
	Reason       string   `json:"reason"`
}

// settlementOf makes a settlement of a request of a member.
func settlementOf(kind hub.SettlementKind, data Raw) (v verdict, what hub.Settlement, failure *Error) {
	args, err := positional(data)
	if err == nil && len(args) == 1 {
		err = args[0].Decode(&v)
	}
	if err != nil || len(args) != 1 || v.Subscription == "" || (v.Seq == 0) == (len(v.Seqs) == 0) {
		return v, what, wire.Errorf(wire.CodeSchemaMismatch, `an acknowledgement is {"subscription":"…","seq":n}, or with "seqs":[…] of several`)
	}
	if len(v.Seqs) > MaxCredit {
		return v, what, wire.Errorf(wire.CodeInvalidArgument, `"seqs" names %d messages: a member holds %d at most`, len(v.Seqs), MaxCredit)
	}
	if v.DelayMS < 0 || v.DelayMS > hub.MaxDelay.Milliseconds() {
		return v, what, wire.Errorf(wire.CodeInvalidArgument, `"delayMs" is 0 to %d, not %d`, hub.MaxDelay.Milliseconds(), v.DelayMS)
	}
	what = hub.Settlement{Kind: kind, Seqs: v.Seqs, Delay: time.Duration(v.DelayMS) * time.Millisecond, Reason: v.Reason}
	if v.Seq != 0 {
		what.Seqs = []uint64{v.Seq}
	}
	return v, what, nil
}

// acknowledge answers ipc.ack, ipc.nak and ipc.reject.
func (p *peer) acknowledge(in *session.Inbound, kind hub.SettlementKind) {
	s := p.service
	v, what, failure := settlementOf(kind, Raw(in.Data))
	if failure != nil {
		s.fail(in, failure)
		return
	}
	unknown, err := p.outletOf().Settle(v.Subscription, what)
	switch {
	case err != nil:
		s.fail(in, asError(err))
	case len(unknown) > 0:
		s.fail(in, notHeld(unknown, len(what.Seqs)))
	default:
		in.Reply(null)
	}
}

// notHeld is the answer to a member that settles so many messages, some of
// which it does not hold. The others are settled.
func notHeld(unknown []uint64, of int) *Error {
	e := wire.Errorf(wire.CodeNotFound, "message %d is not this subscriber's to settle: it never was, it is settled, or it was given to another when its time was up", unknown[0])
	e.Details.More = map[string]any{"seqs": unknown}
	if len(unknown) < of {
		e.Details.Executed = wire.ExecutedYes
	}
	return e
}

// settle is what Event.Ack and its like do for a subscription within the
// service.
func (l *local) settle(_ context.Context, e *Event, what settlement) error {
	kinds := map[string]hub.SettlementKind{"ack": hub.Ack, "nak": hub.Nak, "reject": hub.Reject}
	unknown, err := l.outlet.Settle(l.id, hub.Settlement{Kind: kinds[what.verb], Seqs: []uint64{e.Seq}, Delay: what.delay, Reason: what.reason})
	if err == nil && len(unknown) > 0 {
		err = notHeld(unknown, 1)
	}
	return err
}
