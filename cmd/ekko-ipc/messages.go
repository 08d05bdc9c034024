package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
)

// mostMessages is how many messages are shown if nothing else is said, and
// pageOfMessages how many are asked for at once.
const (
	mostMessages   = 100
	pageOfMessages = 500
)

// showCommand is "queue show", or with dead "dlq show".
func (c *cli) showCommand(dead bool) *cobra.Command {
	var from uint64
	most := mostMessages
	cmd := &cobra.Command{
		Use:   "show SERVICE.CHANNEL",
		Short: "Show the messages that a channel keeps, and leave them there",
		Long: `Show the messages that a channel keeps, from the oldest or from number --from
on. Nothing is taken, and nobody who reads them notices.`,
		Example: `  ekko-ipc queue show shop.jobs
  ekko-ipc queue show shop.jobs --from 42 --max 10
  ekko-ipc queue show shop.jobs --max 0 | jq -c .data        # all of it`,
		Args:              needs(1, 2, "SERVICE.CHANNEL"),
		ValidArgsFunction: c.completeKept,
		RunE: func(cmd *cobra.Command, words []string) error {
			t, channel, rest, err := c.parseChannel(cmd.Context(), words, 0)
			switch {
			case err == nil && len(rest) > 0:
				err = fmt.Errorf("unexpected %q after SERVICE.CHANNEL", rest[0])
			case err == nil && most < 0:
				err = fmt.Errorf("--max %d: want 0 (all) or more", most)
			}
			if err != nil {
				return asUsage(err, cmd)
			}
			err = c.with(cmd.Context(), &t, func(ctx context.Context, client *ipc.Client) error {
				return c.showMessages(ctx, client, channel, dead, from, most)
			})
			return t.explainChannel(channel, err)
		},
	}
	if dead {
		cmd.Short = "Show the dead letters of a channel, and leave them there"
		cmd.Long = `Show the dead letters of a channel: what they are, which group could not deal
with them ("group"), after how many deliveries and why ("reason"), and which
number they had in the channel ("from"). The number to give to redrive is "seq".`
		cmd.Example = `  ekko-ipc dlq show shop.jobs
  ekko-ipc dlq show shop.jobs | jq -r .reason | sort | uniq -c`
	}
	cmd.Flags().Uint64Var(&from, "from", 0, "begin with this number; 0: with the oldest")
	cmd.Flags().IntVar(&most, "max", mostMessages, "show so many; 0: all")
	register(cmd, "from", cobra.NoFileCompletions)
	register(cmd, "max", cobra.NoFileCompletions)
	return cmd
}

// showMessages prints messages page by page. There may be more in the end.
func (c *cli) showMessages(ctx context.Context, client *ipc.Client, channel string, dead bool, from uint64, most int) error {
	for shown := 0; most == 0 || shown < most; {
		page := pageOfMessages
		if most > 0 {
			page = min(page, most-shown)
		}
		messages, err := client.Messages(ctx, channel, dead, from, page)
		if err != nil {
			return err
		}
		if len(messages) == 0 {
			if shown == 0 {
				c.note("nothing there")
			}
			return nil
		}
		for i := range messages {
			if err := c.printMessage(&messages[i]); err != nil {
				return err
			}
		}
		shown += len(messages)
		from = messages[len(messages)-1].Seq + 1
	}
	if most > 0 {
		c.detail("there may be more: --from %d", from)
	}
	return nil
}

func (c *cli) printMessage(m *ipc.MessageInfo) error {
	if c.wantsJSON() {
		return c.emit(m)
	}
	paint := c.out()
	var b strings.Builder
	b.WriteString(paint.bold("#"+strconv.FormatUint(m.Seq, 10)) + "  " + paint.dim(m.Time.Local().Format("2006-01-02 15:04:05.000")) + "  " + paint.cyan(m.Name) + "  ")
	if m.From > 0 {
		b.WriteString(paint.yellow(fmt.Sprintf("%s gave up #%d after %d: %s", m.Group, m.From, m.Deliveries, m.Reason)) + "  ")
	}
	b.WriteString(paintJSON(oneLine(m.Data), paint) + "\n")
	return c.print(b.String())
}

// purgeCommand is "queue purge", or with dead "dlq purge".
func (c *cli) purgeCommand(dead bool) *cobra.Command {
	var yes bool
	what, command := "messages", "queue"
	if dead {
		what, command = "dead letters", "dlq"
	}
	cmd := &cobra.Command{
		Use:   "purge SERVICE.CHANNEL",
		Short: "Remove all " + what + " of a channel",
		Long: "Remove all " + what + ` of a channel, for good: on the disk too, if it is persistent.

It asks before; into a pipe it needs --yes.`,
		Example: "  ekko-ipc " + command + " purge shop.jobs\n" +
			"  ekko-ipc " + command + " purge shop.jobs --yes",
		Args:              needs(1, 2, "SERVICE.CHANNEL"),
		ValidArgsFunction: c.completeKept,
		RunE: func(cmd *cobra.Command, words []string) error {
			t, channel, rest, err := c.parseChannel(cmd.Context(), words, 0)
			if err == nil && len(rest) > 0 {
				err = fmt.Errorf("unexpected %q after SERVICE.CHANNEL", rest[0])
			}
			if err != nil {
				return asUsage(err, cmd)
			}
			if err := c.confirm(cmd, yes, fmt.Sprintf("remove all %s of %s, for good?", what, t.channel(channel))); err != nil {
				return err
			}
			var removed uint64
			err = c.with(cmd.Context(), &t, func(ctx context.Context, client *ipc.Client) (err error) {
				removed, err = client.Purge(ctx, channel, dead)
				return err
			})
			if err != nil {
				return t.explainChannel(channel, err)
			}
			if c.wantsJSONDocument() {
				return c.emit(removedJSON{t.service, channel, dead, removed})
			}
			c.note("removed %d %s of %s", removed, what, t.channel(channel))
			return nil
		},
	}
	addYes(cmd, &yes)
	return cmd
}

// removedJSON is what purge prints with -j.
type removedJSON struct {
	Service string `json:"service"`
	Channel string `json:"channel"`
	Dead    bool   `json:"dead"`
	Removed uint64 `json:"removed"`
}
