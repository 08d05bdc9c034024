package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

func (c *cli) pubCommand() *cobra.Command {
	var options publishOptions
	cmd := &cobra.Command{
		Use:     "pub SERVICE EVENT [DATA]",
		Aliases: []string{"publish"},
		Short:   "Publish an event through a service",
		GroupID: groupTalk,
		Long: `Publish an event through a service, to everybody who listens there.

DATA is JSON if it parses as JSON, else a string. With "-" it comes from standard
input: each line there is a JSON value, and the data of one event. With "-" in
the place of EVENT each line is a whole event, as sub prints them:
{"event":"…","data":…}, and perhaps an "id".

The command returns when the service has handled the event, so an exit status of
0 means that it was accepted, not that somebody has heard it. On a channel that
keeps its events it means that the event is kept, and if the channel is
persistent that is on the disk.

--confirm prints the receipt: the stream and the event's number in it, how many
subscribers it was for ("receivers"), and how many of those had not yet taken
what came before ("behind").

--id ID makes it safe to publish the same event again, after a failure that
leaves open whether it arrived: a channel that keeps its events knows the IDs of
the last two minutes, and says "duplicate". An ID has 10 to 128 characters.`,
		Example: `  ekko-ipc pub notification-service order.completed '{"orderId":456,"total":99.99}'
  ekko-ipc pub shop jobs '{"order":456}' --confirm -j | jq .seq
  ekko-ipc pub shop jobs '{"order":456}' --id order-456-shipped
  jq -c '.orders[]' orders.json | ekko-ipc pub notification-service order.completed -
  ekko-ipc sub shop '**' | ekko-ipc pub copy-of-shop -     # pass events on`,
		Args:              needs(2, 3, "SERVICE EVENT"),
		ValidArgsFunction: c.completeEvents(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			t, err := parseService(words[0])
			if err == nil {
				err = options.check(cmd, words)
			}
			if err != nil {
				return asUsage(err, cmd)
			}
			events, err := c.eventsToPublish(words, options)
			if err != nil {
				return err
			}
			return c.publish(cmd.Context(), t, events, options)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.id, "id", "", "the event's own ID: published twice, it is kept once")
	flags.BoolVar(&options.confirm, "confirm", false, "wait for the receipt of each event, and print it")
	flags.IntVarP(&options.count, "count", "n", 0, "DATA so many times; of standard input, no more than so many events")
	register(cmd, "id", cobra.NoFileCompletions)
	register(cmd, "count", cobra.NoFileCompletions)
	return cmd
}

// publishOptions are the flags of pub.
type publishOptions struct {
	id      string
	confirm bool
	count   int // 0: DATA once, standard input to its end
	stream  bool
}

func (o *publishOptions) check(cmd *cobra.Command, words []string) error {
	o.stream = words[1] == "-" || len(words) == 3 && words[2] == "-"
	given := cmd.Flags().Changed
	switch {
	case o.count < 0, given("count") && o.count == 0:
		return fmt.Errorf("--count %d: want 1 or more", o.count)
	case words[1] == "-" && len(words) == 3:
		return errors.New(`"-" reads whole events from standard input, with their data: nothing can follow it`)
	case given("id") && (o.stream || o.count > 1):
		return hint(errors.New("--id names one event, and there may be many"), `give each its own: {"event":"…","data":…,"id":"…"} on standard input, and - in place of EVENT`)
	}
	return nil
}

// publication is an event to be published.
type publication struct {
	Event string  `json:"event"`
	Data  ipc.Raw `json:"data"`
	ID    string  `json:"id"`
	line  int     // of standard input; 0: of the command line
}

// eventsToPublish returns what the command line asks to publish.
func (c *cli) eventsToPublish(words []string, options publishOptions) (iter.Seq2[publication, error], error) {
	if options.stream {
		return c.inputEvents(words[1], options.count), nil
	}
	p := publication{Event: words[1], ID: options.id}
	if len(words) == 3 {
		var err error
		if p.Data, err = c.parseValue(unshield(words[2])); err != nil {
			return nil, err
		}
	}
	return func(yield func(publication, error) bool) {
		for range max(options.count, 1) {
			if !yield(p, nil) {
				return
			}
		}
	}, nil
}

// inputEvents returns the events on standard input, at most count of them
// unless that is 0. With the name "-" each line is a whole event, else the data
// of one.
func (c *cli) inputEvents(name string, count int) iter.Seq2[publication, error] {
	return func(yield func(publication, error) bool) {
		seen := 0
		for line, err := range jsonTexts(c.stdin, standardInput) {
			p := publication{Event: name, line: line.number}
			switch {
			case err != nil:
				err = hint(err, "an event stands on one line: jq -c . puts it there")
			case name == "-":
				err = p.read(line)
			default:
				p.Data = append(ipc.Raw(nil), line.text...)
			}
			if !yield(p, err) || err != nil {
				return
			}
			if seen++; seen == count {
				return
			}
		}
	}
}

// read reads a whole event.
func (p *publication) read(l line) error {
	p.Event = ""
	err := ipc.Raw(l.text).Decode(p)
	if err == nil && p.Event == "" {
		err = errors.New(`an event is {"event":"NAME","data":…}`)
	}
	if err != nil {
		return badLine(standardInput, l.number, err)
	}
	return nil
}

// publish publishes the events one after the other.
func (c *cli) publish(ctx context.Context, t target, events iter.Seq2[publication, error], options publishOptions) error {
	usual := usualTimeout
	if options.stream {
		usual = 0 // whoever writes them takes what time he likes
	}
	ctx, cancel := c.deadline(ctx, usual)
	defer cancel()
	var refusals refusals
	client, err := c.dial(ctx, &t, &ipc.ClientOptions{OnError: refusals.add})
	if err != nil {
		return err
	}
	defer client.Close()
	t.learn(ctx, client)

	var last publication
	var receipt *ipc.Receipt
	sent := 0
	for p, err := range events {
		if err == nil {
			receipt, err = c.publishOne(ctx, client, t, p, options)
		}
		if err == nil {
			err = refusals.error()
		}
		if err != nil {
			return t.explainPublication(p, err, sent)
		}
		last = p
		sent++
	}
	if err := client.Flush(ctx); err != nil {
		return t.explainPublication(last, err, 0)
	}
	if err := refusals.error(); err != nil {
		return t.explainPublication(last, err, 0)
	}
	switch {
	case sent != 1 || options.stream:
		c.note("published %d events to %s", sent, t.service)
	case !options.confirm && !c.wantsJSONDocument(): // else it has been printed
		c.notePublished(t, last, receipt)
	}
	return nil
}

// publishOne publishes an event, and waits for its receipt where that says
// something: it was asked for, or the event is kept.
func (c *cli) publishOne(ctx context.Context, client *ipc.Client, t target, p publication, options publishOptions) (*ipc.Receipt, error) {
	var payload any
	if p.Data != nil {
		payload = p.Data
	}
	prints := options.confirm || c.wantsJSONDocument()
	if !prints && p.ID == "" && !keeps(t.manifest, p.Event) {
		return nil, client.Publish(ctx, p.Event, payload)
	}
	receipt, err := client.PublishWith(ctx, p.Event, payload, &ipc.PublishOptions{ID: p.ID})
	if err == nil && prints {
		err = c.printReceipt(t, p, receipt)
	}
	return receipt, err
}

// keeps reports whether the channel of an event keeps it.
func keeps(m *manifest.Manifest, event string) bool {
	ch := m.ChannelOf(event)
	return ch != nil && (ch.IsQueue() || ch.Persistent || ch.Retention != nil)
}

// explainPublication is explainEvent for an event that was not published.
// Those before it were.
func (t target) explainPublication(p publication, err error, before int) error {
	if _, usage := errors.AsType[*usageError](err); !usage {
		if p.line > 0 {
			err = fmt.Errorf("%s, line %d: %w", standardInput, p.line, err)
		}
		err = t.explainEvent(p.Event, err)
		if wire.CodeOf(err) == wire.CodeStorageFull {
			err = hint(err, "does anybody read it? see: ekko-ipc queue ls "+t.service)
		}
	}
	if before > 0 {
		err = hint(err, fmt.Sprintf("the %d before it were published", before))
	}
	return err
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
