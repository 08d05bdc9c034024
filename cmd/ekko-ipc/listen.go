package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/wire"
)

// listen subscribes to each pattern and prints what comes, in the order of its
// coming.
func (c *cli) listen(ctx context.Context, t target, options listenOptions) error {
	dialling, cancelDial := context.WithTimeout(ctx, usualTimeout)
	defer cancelDial()
	var returns returns
	client, err := c.dial(dialling, &t, &ipc.ClientOptions{Tap: returns.tap()})
	if err != nil {
		return err
	}
	defer client.Close()
	t.learn(dialling, client)
	if err := options.fit(t.manifest); err != nil {
		return err
	}
	subscriptions, err := subscribeAll(dialling, client, t, options)
	for _, subscription := range subscriptions {
		defer subscription.Close()
	}
	if err != nil {
		return err
	}
	c.note("listening to %s on %s", strings.Join(options.patterns, ", "), t.service)
	returns.expect()

	ctx, cancel := c.deadline(ctx, 0)
	events, ended, wait := merge(ctx, subscriptions)
	defer wait()
	defer cancel()
	for seen := 0; ; {
		select {
		case event := <-events:
			if err := c.printEvent(event); err != nil {
				return err
			}
			c.settle(ctx, event, options)
			if seen++; seen == options.count {
				return nil
			}
		case <-returns.seen:
			c.note("the connection to %s was lost and is back; listening goes on", t.service)
		case err := <-ended:
			return c.listenEnd(ctx, t, options, seen, err)
		}
	}
}

func subscribeAll(ctx context.Context, client *ipc.Client, t target, options listenOptions) (all []*ipc.Subscription, err error) {
	for _, pattern := range options.patterns {
		o, err := options.subscribeOptions(ctx, client, t.manifest, pattern)
		if err != nil {
			return all, t.explainEvent(pattern, err)
		}
		subscription, err := client.Subscribe(ctx, pattern, o)
		if err != nil {
			return all, t.explainEvent(pattern, err)
		}
		all = append(all, subscription)
	}
	return all, nil
}

// settleTimeout bounds the wait for the answer to an acknowledgement.
const settleTimeout = 5 * time.Second

// settle says what became of an event. When that fails the event comes again,
// so it is no reason to end.
func (c *cli) settle(ctx context.Context, event *ipc.Event, options listenOptions) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	var err error
	switch options.settles {
	case settleNone:
		return
	case settleAck:
		err = event.Ack(ctx)
	case settleNak:
		err = event.Nak(ctx, options.nak)
	}
	if err != nil {
		c.note("number %d of %s may come again: %v", event.Seq, event.Stream, err)
	}
}

// merge pulls all subscriptions into one channel, with a goroutine for each
// that ends with ctx or with its subscription; wait waits for them. The first
// end of a subscription arrives at ended.
func merge(ctx context.Context, subscriptions []*ipc.Subscription) (events <-chan *ipc.Event, ended <-chan error, wait func()) {
	merged, ends := make(chan *ipc.Event), make(chan error, len(subscriptions))
	var pulling sync.WaitGroup
	for _, subscription := range subscriptions {
		pulling.Go(func() {
			for {
				event, err := subscription.Next(ctx)
				if err != nil {
					ends <- err
					return
				}
				select {
				case merged <- event:
				case <-ctx.Done():
					ends <- ctx.Err()
					return
				}
			}
		})
	}
	return merged, ends, pulling.Wait
}

// listenEnd says what the end of listening means.
func (c *cli) listenEnd(ctx context.Context, t target, options listenOptions, seen int, err error) error {
	switch {
	case signalled(ctx) != nil:
		return signalled(ctx)
	case ctx.Err() == nil && wire.CodeOf(err) == wire.CodeConflict && options.durable != "":
		return hint(err, "give each listener a name of its own, or let them share: --group "+options.durable)
	case ctx.Err() == nil:
		return t.explain(err)
	case options.count == 0:
		return nil // listening for that long was all that was asked
	}
	return hint(
		ipc.Errorf(ipc.CodeDeadlineExceeded, "heard %d of %d events in %s", seen, options.count, c.timeout.value),
		"does anybody publish them? what the service announces: ekko-ipc describe "+t.service)
}
