package script

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/ekkojs/ipc"
)

// opSubscribe begins a subscription, which lives until the app stops it or
// the service refuses it.
func (a *app) opSubscribe(op *operation) {
	id, kind, source, pattern := op.id(), op.text(), op.id(), op.name()
	var opts SubscribeOptions
	op.json(&opts)
	ctx, cancel := context.WithCancel(a.life)
	a.subscriptions[id] = cancel
	if kind == "service" {
		// At once, so that nothing published after this line is missed.
		sub, err := a.services[source].subscribe(ctx, pattern, opts)
		a.workers.Go(func() {
			if err == nil {
				err = a.pump(ctx, id, sub)
			}
			a.subscriptionEnded(ctx, id, err)
		})
		return
	}
	l := a.links[source]
	l.do(func() {
		asked := make(chan struct{})
		c := l.connection(ctx)
		a.workers.Go(func() { a.subscriptionEnded(ctx, id, a.listen(ctx, asked, l, c, id, pattern, opts)) })
		<-asked // so that what the app does next happens after the subscription
	})
}

func (a *app) opUnsubscribe(op *operation) {
	id := op.id()
	a.subscriptions[id]()
	delete(a.subscriptions, id)
}

// listen subscribes, and again as long as the service is not there, and moves
// its events to the app. It closes asked after the first attempt.
func (a *app) listen(ctx context.Context, asked chan<- struct{}, l *link, c connection, id uint64, pattern string, opts SubscribeOptions) error {
	var wait backoff
	for {
		sub, err := c.subscribe(ctx, pattern, opts)
		if asked != nil {
			close(asked)
			asked = nil
		}
		if err == nil {
			return a.pump(ctx, id, sub)
		}
		if ctx.Err() != nil || !passing(err) {
			return err
		}
		select {
		case <-time.After(wait.next()):
		case <-ctx.Done():
			return ctx.Err()
		}
		c = l.connection(ctx)
	}
}

// subscribeTimeout is how long a service may take to agree before the app is
// let go on, and it is asked again.
const subscribeTimeout = 10 * time.Second

func (c connection) subscribe(ctx context.Context, pattern string, opts SubscribeOptions) (Subscription, error) {
	if c.err != nil {
		return nil, c.err
	}
	ctx, cancel := context.WithTimeout(ctx, subscribeTimeout)
	defer cancel()
	return c.client.Subscribe(ctx, pattern, opts)
}

// pump moves the events of a subscription to the app until it ends.
func (a *app) pump(ctx context.Context, id uint64, sub Subscription) error {
	defer sub.Close()
	var settled settling
	defer a.settlements.end(&settled)
	for {
		e, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		more := moreOf(e)
		if e.Settle != nil {
			more.Settle = a.settlements.add(&settled, e.Settle)
		}
		if err := a.inbox.offer(ctx, func(dst []byte) []byte { return appendEvent(dst, id, e, more) }); err != nil {
			return err
		}
	}
}

// subscriptionEnded tells the app, unless it ended the subscription itself.
func (a *app) subscriptionEnded(ctx context.Context, id uint64, err error) {
	if ctx.Err() != nil {
		return
	}
	if errors.Is(err, ErrClosed) {
		err = nil
	}
	a.inbox.put(func(dst []byte) []byte { return appendError(appendHead(dst, "ended", id), err) })
}

// passing reports whether err may be gone after a while.
func passing(err error) bool {
	switch ipc.CodeOf(err) {
	case ipc.CodeServiceUnavailable, ipc.CodeConnectionLost, ipc.CodeShuttingDown, ipc.CodeDeadlineExceeded, ipc.CodeServiceNotFound:
		return true
	}
	return coded(err).Details.Retryable
}

// backoff is how long to wait between attempts: longer each time, and never
// the same for two that began together.
type backoff struct{ last time.Duration }

const (
	firstWait = 50 * time.Millisecond
	longWait  = 2 * time.Second
)

func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, firstWait), longWait)
	return b.last/2 + rand.N(b.last/2)
}

// more is what is not true of most events.
type more struct {
	Gap         *Gap   `json:"gap,omitempty"`
	Stream      string `json:"stream,omitempty"` // if it is not the event's own
	Snapshot    bool   `json:"snapshot,omitempty"`
	Redelivered bool   `json:"redelivered,omitempty"`
	Deliveries  int    `json:"deliveries,omitempty"`
	Settle      uint64 `json:"settle,omitempty"` // the number under which it is acknowledged
}

func moreOf(e *Event) more {
	m := more{Gap: e.Gap, Snapshot: e.Snapshot, Redelivered: e.Redelivered, Deliveries: e.Deliveries}
	if e.Stream != e.Name {
		m.Stream = e.Stream
	}
	return m
}

// appendEvent appends an event for the subscription id.
func appendEvent(dst []byte, id uint64, e *Event, m more) []byte {
	dst = appendHead(dst, "event", id)
	dst = appendText(append(dst, ','), e.Name)
	if dst = append(dst, ','); len(e.Data) > 0 {
		dst = append(dst, e.Data...)
	} else {
		dst = append(dst, "null"...)
	}
	dst = appendText(append(dst, ','), e.ID)
	dst = append(dst, `,"`...)
	dst = e.Time.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, `",`...)
	dst = appendNumber(dst, e.Seq)
	dst = appendText(append(dst, ','), e.Epoch)
	if m != (more{}) {
		dst = appendValue(append(dst, ','), m)
	}
	return dst
}
