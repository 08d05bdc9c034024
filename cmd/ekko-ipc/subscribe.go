package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
)

func (c *cli) subCommand() *cobra.Command {
	var options listenOptions
	cmd := &cobra.Command{
		Use:     "sub SERVICE PATTERN…",
		Short:   "Listen to events and print each",
		GroupID: groupTalk,
		Long: `Listen to events and print each, until interrupted.

In a PATTERN * stands for one part of a name, and ** at its end for the rest:
user.* matches user.created, ** matches everything. Quote them.

--count N ends after N events, --timeout after that much time of listening (with
--count that is a failure, status 5). When the service restarts, listening goes
on. What has been missed meanwhile, or by reading too slowly, is said with the
next event.`,
		Example: `  ekko-ipc sub notification-service 'user.*'
  ekko-ipc sub notification-service user.created order.completed --count 1
  ekko-ipc sub notification-service '**' | jq -c 'select(.event == "user.created") | .data'`,
		Args:              needs(2, -1, "SERVICE PATTERN"),
		ValidArgsFunction: c.completeEvents(-1),
		RunE: func(cmd *cobra.Command, words []string) error {
			t, err := parseService(words[0])
			if err != nil {
				return asUsage(err, cmd)
			}
			if options.count < 0 {
				return &usageError{fmt.Errorf("--count %d: want 0 (no end) or more", options.count), cmd}
			}
			options.patterns = words[1:]
			return c.listen(cmd.Context(), t, options)
		},
	}
	cmd.Flags().IntVarP(&options.count, "count", "n", 0, "end after this many events; 0: never")
	return cmd
}

type listenOptions struct {
	patterns []string
	count    int // 0: no end
}

// listen subscribes to each pattern and prints what comes, in the order of its
// coming.
func (c *cli) listen(ctx context.Context, t target, options listenOptions) error {
	dialling, cancelDial := context.WithTimeout(ctx, usualTimeout)
	defer cancelDial()
	client, err := c.dial(dialling, &t, nil)
	if err != nil {
		return err
	}
	defer client.Close()

	var subscriptions []*ipc.Subscription
	for _, pattern := range options.patterns {
		subscription, err := client.Subscribe(dialling, pattern, nil)
		if err != nil {
			return t.explainEvent(pattern, err)
		}
		defer subscription.Close()
		subscriptions = append(subscriptions, subscription)
	}
	c.note("listening to %s on %s", strings.Join(options.patterns, ", "), t.service)

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
			if seen++; seen == options.count {
				return nil
			}
		case err := <-ended:
			return c.listenEnd(ctx, t, options, seen, err)
		}
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
	case ctx.Err() == nil:
		return t.explain(err)
	case options.count == 0:
		return nil // listening for that long was all that was asked
	}
	return hint(
		ipc.Errorf(ipc.CodeDeadlineExceeded, "heard %d of %d events in %s", seen, options.count, c.timeout.value),
		"does anybody publish them? what the service announces: ekko-ipc describe "+t.service)
}

// eventJSON is a line of sub.
type eventJSON struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
	ID      string          `json:"id,omitempty"`
	Time    *time.Time      `json:"time,omitempty"`
	Seq     uint64          `json:"seq,omitempty"`
	Epoch   string          `json:"epoch,omitempty"`
	Gap     *gapJSON        `json:"gap,omitempty"`
}

type gapJSON struct {
	From   uint64 `json:"from"`
	To     uint64 `json:"to,omitempty"` // absent when nobody knows
	Reason string `json:"reason"`
}

func (c *cli) printEvent(event *ipc.Event) error {
	if c.wantsJSON() {
		return c.emit(eventLine(event))
	}
	paint := c.out()
	when := event.Time
	if when.IsZero() {
		when = time.Now()
	}
	line := paint.dim(when.Local().Format("15:04:05.000")) + "  "
	if event.Gap != nil {
		line = paint.yellow(missed(event)) + "\n" + line
	}
	return c.print(line + paint.cyan(event.Name) + "  " + paintJSON(oneLine(event.Data), paint) + "\n")
}

// missed says what is missing before an event.
func missed(event *ipc.Event) string {
	gap := event.Gap
	if gap.To == 0 { // nobody knows how many
		return fmt.Sprintf("some of %s may be missing here: %s", event.Name, gap.Reason)
	}
	return fmt.Sprintf("%d of %s missing here: %s", gap.To-gap.From+1, event.Name, gap.Reason)
}

func eventLine(event *ipc.Event) eventJSON {
	line := eventJSON{
		Event: event.Name, Channel: event.Channel, Data: json.RawMessage(event.Data),
		ID: event.ID, Seq: event.Seq, Epoch: event.Epoch,
	}
	if !event.Time.IsZero() {
		when := event.Time.UTC()
		line.Time = &when
	}
	if event.Gap != nil {
		line.Gap = &gapJSON{event.Gap.From, event.Gap.To, event.Gap.Reason}
	}
	return line
}
