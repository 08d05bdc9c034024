package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
)

func (c *cli) subCommand() *cobra.Command {
	var options listenOptions
	cmd := &cobra.Command{
		Use:     "sub SERVICE PATTERN…",
		Aliases: []string{"subscribe"},
		Short:   "Listen to events and print each",
		GroupID: groupTalk,
		Long: `Listen to events and print each, until interrupted.

In a PATTERN * stands for one part of a name, and ** at its end for the rest:
user.* matches user.created, ** matches everything. Quote them. The name of a
channel stands for all events that it carries.

--count N ends after N events, --timeout after that much time of listening (with
--count that is a failure, status 5). When the service restarts, listening goes
on. What has been missed meanwhile, or by reading too slowly, is said with the
next event: "gap" in JSON.

Where to begin, --from:
  new                  with the next event, unless something else is said
  first, last          with the oldest or the newest that the channel keeps
  42, EPOCH:42         with number 42, if it is kept still
  10m, 10m ago         with what was published ten minutes ago
  2026-11-25T12:00:00Z with what was published then
  snapshot             with the state of the channel, if the service offers one
A group or a durable name that is there already goes on where it stopped.

--filter has the service leave out what does not pass: 'total > 100',
'country in ["DE", "AT"]', 'exists(coupon) && !paid'. See "ekko-ipc help filters".

Some channels are read in turns. The messages of a queue go to one member of a
--group each ("default" if none is named), and --durable NAME has a persistent
channel remember where NAME has stopped. There each event is acknowledged when
it has been printed, and comes again if it was not. --no-ack leaves that, --nak
gives each back (--nak=30s: for that long). Both count as a delivery, and after
five of them a message is a dead letter: "ekko-ipc queue show" only looks.
"ekko-ipc help channels" has more of this.`,
		Example: `  ekko-ipc sub notification-service 'user.*'
  ekko-ipc sub notification-service user.created order.completed --count 1
  ekko-ipc sub notification-service '**' | jq -c 'select(.event == "user.created") | .data'

  ekko-ipc sub shop order.completed --filter 'total > 100'
  ekko-ipc sub shop orders --from '10m ago'          # what was kept, then what comes
  ekko-ipc sub shop orders --durable audit >> audit.jsonl   # goes on where it stopped
  ekko-ipc sub shop jobs --group workers --count 1   # take one message of a queue`,
		Args:              needs(2, -1, "SERVICE PATTERN"),
		ValidArgsFunction: c.completeEvents(-1),
		RunE: func(cmd *cobra.Command, words []string) error {
			t, err := parseService(words[0])
			if err != nil {
				return asUsage(err, cmd)
			}
			options.patterns = words[1:]
			if err := options.check(cmd); err != nil {
				return asUsage(err, cmd)
			}
			return c.listen(cmd.Context(), t, options)
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&options.count, "count", "n", 0, "end after this many events; 0: never")
	flags.Var(&options.from, "from", "where to begin: new, first, last, snapshot, SEQ, EPOCH:SEQ or a time such as 10m")
	flags.StringVar(&options.filter, "filter", "", "only events whose data passes, such as 'total > 100'")
	flags.StringVar(&options.group, "group", "", "share the events with the others of this group")
	flags.StringVar(&options.durable, "durable", "", "go on where the subscription of this name has stopped")
	flags.IntVar(&options.credit, "credit", 0, "how many events may be unacknowledged (default 100, or --count)")
	flags.DurationVar(&options.ackWait, "ack-wait", 0, "how long an event may be unacknowledged before it goes to another (default 30s)")
	flags.BoolVar(&options.ack, "ack", false, "acknowledge what is printed (the default of groups and durables)")
	flags.BoolVar(&options.noAck, "no-ack", false, "leave it unacknowledged: it comes again when this ends")
	flags.DurationVar(&options.nak, "nak", 0, "give each event back, to come again after this time")
	flags.Lookup("nak").NoOptDefVal = "0s"
	register(cmd, "from", fixed("new\tthe next event", "first\tthe oldest that is kept", "last\tthe newest that is kept",
		"snapshot\tthe state of the channel", "10m\twhat was published then"))
	register(cmd, "durable", c.completeGroups(true))
	register(cmd, "group", c.completeGroups(false))
	for _, flag := range []string{"count", "filter", "credit"} {
		register(cmd, flag, cobra.NoFileCompletions)
	}
	register(cmd, "ack-wait", fixed("5s", "30s", "5m"))
	return cmd
}

// listenOptions are the words and flags of sub.
type listenOptions struct {
	patterns       []string
	count          int // 0: no end
	from           fromFlag
	filter         string
	group, durable string
	credit         int
	ackWait        time.Duration
	ack, noAck     bool
	nak            time.Duration
	settles        settling
}

// settling is what is done with an event that somebody has to acknowledge.
type settling uint8

const (
	settleAck  settling = iota // once it is printed
	settleNone                 // nothing: it comes again
	settleNak                  // it is given back
)

// check says what is wrong with the flags, before anything is asked.
func (o *listenOptions) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	for _, pair := range [][2]string{{"group", "durable"}, {"ack", "no-ack"}, {"ack", "nak"}, {"no-ack", "nak"}} {
		if given(pair[0]) && given(pair[1]) {
			return fmt.Errorf("--%s and --%s exclude each other", pair[0], pair[1])
		}
	}
	switch {
	case o.count < 0:
		return fmt.Errorf("--count %d: want 0 (no end) or more", o.count)
	case given("credit") && (o.credit < 1 || o.credit > ipc.MaxCredit):
		return fmt.Errorf("--credit %d: want 1 to %d", o.credit, ipc.MaxCredit)
	case given("ack-wait") && (o.ackWait <= 0 || o.ackWait > ipc.MaxAckWait):
		return fmt.Errorf("--ack-wait %s: want a time of up to %s", o.ackWait, ipc.MaxAckWait)
	case o.nak < 0:
		return fmt.Errorf("--nak=%s: want 0 (at once) or more", o.nak)
	case given("group") && o.group == "", given("durable") && o.durable == "":
		return errors.New("a --group or a --durable needs a name")
	}
	switch {
	case o.noAck:
		o.settles = settleNone
	case given("nak"):
		o.settles = settleNak
	}
	return nil
}

// grouped reports whether the events of a pattern are to be acknowledged, as
// far as the manifest tells.
func (o *listenOptions) grouped(m *manifest.Manifest, pattern string) bool {
	return o.group != "" || o.durable != "" || m.ChannelByName(pattern).IsQueue()
}

// fit says which flags make no sense for the patterns. Without a manifest
// that is not known.
func (o *listenOptions) fit(m *manifest.Manifest) error {
	if m == nil || !o.ack && o.settles == settleAck && o.credit == 0 && o.ackWait == 0 {
		return nil
	}
	for _, pattern := range o.patterns {
		if !o.grouped(m, pattern) {
			return hint(
				&usageError{err: fmt.Errorf("nobody has to acknowledge what comes of %s: --ack, --no-ack, --nak, --credit and --ack-wait are for queues, groups and durable subscriptions", pattern)},
				"share the events of a persistent channel: --group NAME; remember where you were: --durable NAME")
		}
	}
	return nil
}

// subscribeOptions are the options of the subscription to one pattern.
func (o *listenOptions) subscribeOptions(ctx context.Context, client *ipc.Client, m *manifest.Manifest, pattern string) (*ipc.SubscribeOptions, error) {
	from, err := o.from.resolve(ctx, client, m, pattern)
	if err != nil {
		return nil, err
	}
	s := &ipc.SubscribeOptions{From: from, Filter: o.filter, Group: o.group, Durable: o.durable, Credit: o.credit, AckWait: o.ackWait, Limit: o.count}
	if s.Credit == 0 && o.count > 0 && o.grouped(m, pattern) {
		s.Credit = min(o.count, 100) // no more than is printed is taken from the others
	}
	return s, nil
}
