package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

func (c *cli) queueCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "queue",
		Aliases: []string{"queues"},
		Short:   "Look after the channels that keep their events",
		GroupID: groupTalk,
		Long: `Look after the channels that keep their events: queues, persistent ones, and
those with a retention.

ls shows how much each keeps and who reads it, show what it keeps, without
taking anything. purge removes it all, and forget removes a group or a durable
subscription that nobody is a member of any more: as long as it is there, a
persistent channel keeps what it has not read.`,
		Example: `  ekko-ipc queue ls shop
  ekko-ipc queue show shop.jobs --from 42 --max 10
  ekko-ipc queue purge shop.jobs
  ekko-ipc queue forget shop.orders audit`,
		Args: noSuchSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.queueLsCommand(), c.showCommand(false), c.purgeCommand(false), c.forgetCommand())
	return cmd
}

// noSuchSubcommand explains a word that is no command of cmd.
func noSuchSubcommand(cmd *cobra.Command, words []string) error {
	if len(words) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	err := fmt.Errorf("%s has no command %q", cmd.CommandPath(), words[0])
	if guess := manifest.Closest(words[0], names); guess != "" {
		return hint(err, "did you mean: "+cmd.CommandPath()+" "+guess)
	}
	return hint(err, "it has "+strings.Join(names, ", "))
}

func (c *cli) queueLsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ls SERVICE",
		Short: "List the channels that keep their events, and who reads them",
		Long: `List the channels of a service that keep their events, with the groups that read
them: how many messages WAIT for a member, are PENDING with one that has not
acknowledged them, or are to be given once more (AGAIN). * marks a durable
subscription.

As JSON, each channel is a line.`,
		Example: `  ekko-ipc queue ls shop
  ekko-ipc queue ls shop | jq 'select(.messages > 1000) | .channel'`,
		Args:              needs(1, 1, "SERVICE"),
		ValidArgsFunction: c.completeServices,
		RunE: func(cmd *cobra.Command, words []string) error {
			t, err := parseService(words[0])
			if err != nil {
				return asUsage(err, cmd)
			}
			return c.listQueues(cmd.Context(), t)
		},
	}
}

func (c *cli) listQueues(ctx context.Context, t target) error {
	var queues []ipc.QueueInfo
	err := c.with(ctx, &t, func(ctx context.Context, client *ipc.Client) (err error) {
		queues, err = client.Queues(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if !c.wantsJSON() {
		if len(queues) == 0 {
			c.note(`no channel of %s keeps its events: that takes "type": "queue", "persistent" or "retention" in its manifest`, t.service)
			return nil
		}
		return c.print(queueTable(queues, c.out()))
	}
	for _, queue := range queues {
		if err := c.emit(queue); err != nil {
			return err
		}
	}
	return nil
}

// with connects to t and does something, within the time of a command that
// waits for one answer.
func (c *cli) with(ctx context.Context, t *target, do func(ctx context.Context, client *ipc.Client) error) error {
	ctx, cancel := c.deadline(ctx, usualTimeout)
	defer cancel()
	client, err := c.dial(ctx, t, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	t.learn(ctx, client)
	return t.explain(do(ctx, client))
}

func queueTable(queues []ipc.QueueInfo, paint palette) string {
	g := &grid{paint: paint}
	g.row("CHANNEL", "KIND", "MESSAGES", "SIZE", "DEAD", "GROUP", "MEMBERS", "WAIT", "PENDING", "AGAIN")
	for _, q := range queues {
		cells := []string{q.Channel, kindOf(&q), strconv.FormatInt(q.Messages, 10), size(q.Bytes), strconv.FormatInt(q.Dead, 10)}
		if len(q.Groups) == 0 {
			g.row(cells...)
		}
		for _, group := range q.Groups {
			name := group.Name
			if group.Durable {
				name += "*"
			}
			g.row(append(cells, name, strconv.Itoa(group.Members), strconv.FormatUint(group.Waiting, 10), strconv.Itoa(group.Pending), strconv.Itoa(group.Again))...)
			cells = make([]string, len(cells)) // said once
		}
	}
	text := g.String()
	for _, q := range queues {
		for _, loss := range q.Losses {
			text += paint.yellow(fmt.Sprintf("%s has lost %d to %d: %s", q.Channel, loss.From, loss.To, loss.Reason)) + "\n"
		}
		if q.Blocked > 0 {
			text += paint.yellow(fmt.Sprintf("%s is full: %d publishers wait for room", q.Channel, q.Blocked)) + "\n"
		}
	}
	return text
}

func kindOf(q *ipc.QueueInfo) string {
	switch {
	case q.Queue && q.Persistent:
		return "queue on disk"
	case q.Queue:
		return "queue"
	case q.Persistent:
		return "on disk"
	}
	return "in memory"
}

// size writes a number of bytes as people read it.
func size(bytes int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	n, i := float64(bytes), 0
	for n >= 1000 && i < len(units)-1 {
		n, i = n/1000, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}

func (c *cli) forgetCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "forget SERVICE.CHANNEL GROUP",
		Short: "Remove a group or a durable subscription, and its place",
		Long: `Remove a group or a durable subscription of a channel, with its place in it. It
must not have members; who joins it later begins as if it had never been.

It asks before; into a pipe it needs --yes.`,
		Example:           `  ekko-ipc queue forget shop.orders audit`,
		Args:              needs(2, 3, "SERVICE.CHANNEL GROUP"),
		ValidArgsFunction: c.completeForget,
		RunE: func(cmd *cobra.Command, words []string) error {
			t, channel, rest, err := c.parseChannel(cmd.Context(), words, 1)
			if err != nil {
				return asUsage(err, cmd)
			}
			group := rest[0]
			if err := c.confirm(cmd, yes, fmt.Sprintf("remove the group %s of %s, and what waits for it?", group, t.channel(channel))); err != nil {
				return err
			}
			err = c.with(cmd.Context(), &t, func(ctx context.Context, client *ipc.Client) error {
				return client.ForgetGroup(ctx, channel, group)
			})
			if err != nil {
				return t.explainChannel(channel, err)
			}
			if c.wantsJSONDocument() {
				return c.emit(forgottenJSON{t.service, channel, group, true})
			}
			c.note("%s has forgotten %s", t.channel(channel), group)
			return nil
		},
	}
	addYes(cmd, &yes)
	return cmd
}

// forgottenJSON is what forget prints with -j.
type forgottenJSON struct {
	Service   string `json:"service"`
	Channel   string `json:"channel"`
	Group     string `json:"group"`
	Forgotten bool   `json:"forgotten"`
}

// parseChannel reads SERVICE.CHANNEL, or SERVICE CHANNEL, from the front of
// words, after which at least left words must stand. Since the names of both may
// hold dots, the longest beginning that is a service's name decides; where none
// is, the last dot.
func (c *cli) parseChannel(ctx context.Context, words []string, left int) (t target, channel string, rest []string, err error) {
	word := words[0]
	if isAddress(word) || len(words) == left+2 && c.manifestOnDisk(ctx, word) != nil {
		if len(words) < left+2 {
			return t, "", nil, fmt.Errorf("%s is an address; name the channel after it", word)
		}
		return target{service: word}, words[1], words[2:], wire.CheckName(words[1])
	}
	if err := wire.CheckName(word); err != nil {
		return t, "", nil, err
	}
	if m := c.manifestOnDisk(ctx, word); m != nil {
		err := fmt.Errorf("%s is a service; name the channel too: SERVICE.CHANNEL", word)
		return t, "", nil, hint(err, "see what it keeps: ekko-ipc queue ls "+word)
	}
	for dot := strings.LastIndexByte(word, '.'); dot > 0; dot = strings.LastIndexByte(word[:dot], '.') {
		if _, err := c.registry().Resolve(ctx, word[:dot]); err == nil {
			return target{service: word[:dot]}, word[dot+1:], words[1:], nil
		}
	}
	service, last := wire.SplitChannel([]byte(word))
	if len(service) == 0 {
		return t, "", nil, errors.New("name the channel too: SERVICE.CHANNEL")
	}
	return target{service: string(service)}, string(last), words[1:], nil
}

// channel is how a channel is called on the command line.
func (t target) channel(name string) string { return target{service: t.service, method: name}.String() }

// explainChannel adds the next steps to an error about a channel.
func (t target) explainChannel(channel string, err error) error {
	if wire.CodeOf(err) != wire.CodeNotFound {
		return err
	}
	guess := ""
	if t.manifest.ChannelByName(channel) == nil {
		if guess = t.manifest.SuggestEvent(channel); guess != "" {
			guess = "did you mean " + t.channel(guess) + "?"
		}
	}
	return hint(err, guess, "see what it keeps: ekko-ipc queue ls "+t.service)
}
