package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/wire"
)

func (c *cli) dlqCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dlq",
		Aliases: []string{"dead"},
		Short:   "Look after dead letters: messages that no reader could deal with",
		GroupID: groupTalk,
		Long: `Look after dead letters: messages that a reader has rejected, or that came back
five times. They are kept beside their channel until somebody decides.

ls shows which channels have some, show what they are and why, redrive gives
them back to the group that they come from, purge removes them.`,
		Example: `  ekko-ipc dlq ls shop
  ekko-ipc dlq show shop.jobs
  ekko-ipc dlq redrive shop.jobs 1 2 3
  ekko-ipc dlq redrive shop.jobs --all
  ekko-ipc dlq purge shop.jobs`,
		Args: noSuchSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.dlqLsCommand(), c.showCommand(true), c.redriveCommand(), c.purgeCommand(true))
	return cmd
}

func (c *cli) dlqLsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ls SERVICE",
		Short: "List the channels that have dead letters",
		Example: `  ekko-ipc dlq ls shop
  ekko-ipc dlq ls shop | jq -e .dead && echo 'somebody should look'`,
		Args:              needs(1, 1, "SERVICE"),
		ValidArgsFunction: c.completeServices,
		RunE: func(cmd *cobra.Command, words []string) error {
			t, err := parseService(words[0])
			if err != nil {
				return asUsage(err, cmd)
			}
			return c.listDead(cmd.Context(), t)
		},
	}
}

// deadJSON is a line of dlq ls.
type deadJSON struct {
	Channel string         `json:"channel"`
	Dead    int64          `json:"dead"`
	Groups  []deadOfGroups `json:"groups"`
}

// deadOfGroups says how many letters a group has given up since the service
// was started.
type deadOfGroups struct {
	Name string `json:"name"`
	Dead uint64 `json:"dead"`
}

func (c *cli) listDead(ctx context.Context, t target) error {
	var queues []ipc.QueueInfo
	err := c.with(ctx, &t, func(ctx context.Context, client *ipc.Client) (err error) {
		queues, err = client.Queues(ctx)
		return err
	})
	if err != nil {
		return err
	}
	g := &grid{paint: c.out()}
	g.row("CHANNEL", "DEAD")
	for _, q := range queues {
		if q.Dead == 0 {
			continue
		}
		if c.wantsJSON() {
			if err := c.emit(newDeadJSON(&q)); err != nil {
				return err
			}
			continue
		}
		g.row(q.Channel, strconv.FormatInt(q.Dead, 10))
	}
	if c.wantsJSON() {
		return nil
	}
	if len(g.rows) == 1 {
		c.note("%s has no dead letters", t.service)
		return nil
	}
	return c.print(g.String())
}

func newDeadJSON(q *ipc.QueueInfo) deadJSON {
	d := deadJSON{Channel: q.Channel, Dead: q.Dead, Groups: []deadOfGroups{}}
	for _, group := range q.Groups {
		if group.Dead > 0 {
			d.Groups = append(d.Groups, deadOfGroups{group.Name, group.Dead})
		}
	}
	return d
}

func (c *cli) redriveCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "redrive SERVICE.CHANNEL SEQ… | --all",
		Short: "Give dead letters back to the group that they come from",
		Long: `Give dead letters back to the group that they come from, as new messages for that
group alone: those with the numbers that "dlq show" gives as seq, or --all.`,
		Example: `  ekko-ipc dlq redrive shop.jobs 1 2 3
  ekko-ipc dlq redrive shop.jobs --all`,
		Args:              needs(1, -1, "SERVICE.CHANNEL"),
		ValidArgsFunction: c.completeKept,
		RunE: func(cmd *cobra.Command, words []string) error {
			t, channel, numbers, err := c.parseDead(cmd.Context(), words)
			switch {
			case err == nil && !all && len(numbers) == 0:
				err = hint(errors.New("which ones? give their numbers, or --all"), "see them: ekko-ipc dlq show "+t.channel(channel))
			case err == nil && all && len(numbers) > 0:
				err = errors.New("numbers and --all exclude each other")
			}
			if err != nil {
				return asUsage(err, cmd)
			}
			return c.redrive(cmd.Context(), t, channel, numbers)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all dead letters of the channel")
	return cmd
}

// parseDead reads a channel and the numbers of dead letters after it.
func (c *cli) parseDead(ctx context.Context, words []string) (t target, channel string, numbers []uint64, err error) {
	end := len(words)
	for end > 1 {
		seq, err := strconv.ParseUint(words[end-1], 10, 64)
		if err != nil || seq == 0 {
			break
		}
		numbers = append([]uint64{seq}, numbers...)
		end--
	}
	t, channel, rest, err := c.parseChannel(ctx, words[:end], 0)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%q is not the number of a dead letter", rest[0])
	}
	return t, channel, numbers, err
}

// redrivenJSON is what redrive prints with -j.
type redrivenJSON struct {
	Service  string `json:"service"`
	Channel  string `json:"channel"`
	Redriven int    `json:"redriven"`
}

func (c *cli) redrive(ctx context.Context, t target, channel string, numbers []uint64) error {
	var n int
	err := c.with(ctx, &t, func(ctx context.Context, client *ipc.Client) (err error) {
		n, err = client.Redrive(ctx, channel, numbers...)
		return err
	})
	err = t.explainChannel(channel, err)
	if err == nil && n < len(numbers) {
		err = hint(wire.Errorf(wire.CodeNotFound, "%d of the %d are no dead letters of %s", len(numbers)-n, len(numbers), t.channel(channel)),
			"see which there are: ekko-ipc dlq show "+t.channel(channel))
	}
	if err != nil {
		return err
	}
	if c.wantsJSONDocument() {
		return c.emit(redrivenJSON{t.service, channel, n})
	}
	c.note("gave back %d dead letters of %s", n, t.channel(channel))
	return nil
}
