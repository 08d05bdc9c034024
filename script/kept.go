package script

import (
	"context"
	"errors"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
)

// network returns the options as package ipc has them.
func (o *SubscribeOptions) network() (*ipc.SubscribeOptions, error) {
	from, err := o.from()
	return &ipc.SubscribeOptions{
		From: from, Filter: o.Filter, Group: o.Group, Durable: o.Durable, Credit: o.Credit,
		AckWait: time.Duration(o.AckWait * float64(time.Millisecond)),
	}, err
}

// from reads where the app wants to begin.
func (o *SubscribeOptions) from() (ipc.From, error) {
	switch text := string(o.From); text {
	case "", "null", `"new"`:
		return ipc.From{}, nil
	case `"first"`:
		return ipc.FromFirst(), nil
	case `"last"`:
		return ipc.FromLast(), nil
	case `"snapshot"`:
		return ipc.FromSnapshot(), nil
	}
	var at struct {
		Epoch *string    `json:"epoch"`
		Seq   uint64     `json:"seq"`
		Time  *time.Time `json:"time"`
	}
	switch err := ipc.Raw(o.From).Decode(&at); {
	case err == nil && at.Epoch != nil:
		return ipc.FromSeq(*at.Epoch, at.Seq), nil
	case err == nil && at.Time != nil:
		return ipc.FromTime(*at.Time), nil
	}
	return ipc.From{}, ipc.Errorf(ipc.CodeInvalidArgument,
		"from is 'new', 'first', 'last', 'snapshot', { epoch, seq } or a Date, not %s", o.From)
}

// grouped reports whether the events are to be acknowledged.
func (o *SubscribeOptions) grouped(m *manifest.Manifest, pattern string) bool {
	return o.Group != "" || o.Durable != "" || m.ChannelByName(pattern).IsQueue()
}

type networkSubscription struct {
	*ipc.Subscription
	grouped bool
}

func (s networkSubscription) Next(ctx context.Context) (*Event, error) {
	e, err := s.Subscription.Next(ctx)
	if err != nil {
		if errors.Is(err, ipc.ErrClosed) {
			err = ErrClosed
		}
		return nil, err
	}
	event := &Event{Name: e.Name, Stream: e.Stream, Data: e.Data, ID: e.ID, Time: e.Time, Seq: e.Seq, Epoch: e.Epoch,
		Snapshot: e.Snapshot, Redelivered: e.Redelivered, Deliveries: e.Deliveries}
	if e.Gap != nil {
		event.Gap = &Gap{From: e.Gap.From, To: e.Gap.To, Count: e.Gap.Count, Reason: e.Gap.Reason}
	}
	if s.grouped {
		event.Settle = func(ctx context.Context, s Settlement) error { return settle(ctx, e, s) }
	}
	return event, nil
}

func settle(ctx context.Context, e *ipc.Event, s Settlement) error {
	switch s.Verb {
	case "nak":
		return e.Nak(ctx, time.Duration(s.Delay*float64(time.Millisecond)))
	case "reject":
		return e.Reject(ctx, s.Reason)
	}
	return e.Ack(ctx)
}
