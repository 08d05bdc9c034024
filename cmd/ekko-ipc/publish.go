package main

import (
	"context"
	"errors"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
)

func (c *cli) pubCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "pub SERVICE EVENT [DATA]",
		Short:   "Publish an event through a service",
		GroupID: groupTalk,
		Long: `Publish an event through a service, to everybody who listens there.

DATA is JSON if it parses as JSON, else a string; "-" reads it from standard
input. The command returns when the service has handled the event, so an exit
status of 0 means that it was accepted, not that somebody has heard it.`,
		Example: `  ekko-ipc pub notification-service order.completed '{"orderId":456,"total":99.99}'
  jq -c .order order.json | ekko-ipc pub notification-service order.completed -`,
		Args:              needs(2, 3, "SERVICE EVENT"),
		ValidArgsFunction: c.completeEvents(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			t, err := parseService(words[0])
			if err != nil {
				return asUsage(err, cmd)
			}
			var data ipc.Raw
			if len(words) == 3 {
				if data, err = c.parseValue(unshield(words[2])); err != nil {
					return err
				}
			}
			return c.publish(cmd.Context(), t, words[1], data)
		},
	}
}

// publishedJSON is what pub prints with -j.
type publishedJSON struct {
	Service   string `json:"service"`
	Event     string `json:"event"`
	Published bool   `json:"published"`
}

func (c *cli) publish(ctx context.Context, t target, event string, data ipc.Raw) error {
	ctx, cancel := c.deadline(ctx, usualTimeout)
	defer cancel()
	var refusals refusals
	client, err := c.dial(ctx, &t, &ipc.ClientOptions{OnError: refusals.add})
	if err != nil {
		return err
	}
	defer client.Close()

	var payload any
	if data != nil {
		payload = data
	}
	if err := client.Publish(ctx, event, payload); err != nil {
		return t.explainEvent(event, err)
	}
	if err := client.Flush(ctx); err != nil {
		return t.explainEvent(event, err)
	}
	if err := refusals.error(); err != nil {
		return t.explainEvent(event, err)
	}
	if c.wantsJSONDocument() {
		return c.emit(publishedJSON{t.service, event, true})
	}
	c.note("published %s to %s", event, t.service)
	return nil
}

// refusals collects the events that the service would not take. They come in
// later than Publish returns, on a goroutine of the client.
type refusals struct {
	mu   sync.Mutex
	errs []error
}

func (r *refusals) add(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

func (r *refusals) error() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.errs...)
}
