package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

func (c *cli) pingCommand() *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use:     "ping SERVICE",
		Short:   "Measure the way to a service and back",
		GroupID: groupTalk,
		Long: `Measure the way to a service and back.

The answer comes from the service's process itself, not from its code, so it
tells whether the process lives and how far away it is.`,
		Example: `  ekko-ipc ping database-service
  ekko-ipc ping database-service --count 100
  ekko-ipc ping unix:/run/user/1000/ekko-ipc/db.sock`,
		Args:              needs(1, 1, "SERVICE"),
		ValidArgsFunction: c.completeServices,
		RunE: func(cmd *cobra.Command, words []string) error {
			t, err := parseService(words[0])
			if err != nil {
				return asUsage(err, cmd)
			}
			if count < 1 {
				return &usageError{fmt.Errorf("--count %d: want 1 or more", count), cmd}
			}
			return c.ping(cmd.Context(), t, count)
		},
	}
	cmd.Flags().IntVarP(&count, "count", "n", 1, "how many times")
	return cmd
}

// pongJSON is a line of ping.
type pongJSON struct {
	Service string  `json:"service"`
	Address string  `json:"address"`
	Number  int     `json:"number"` // from 1
	Micros  float64 `json:"us"`
}

func (c *cli) ping(ctx context.Context, t target, count int) error {
	ctx, cancel := c.deadline(ctx, usualTimeout)
	defer cancel()
	client, err := c.dial(ctx, &t, nil)
	if err != nil {
		return err
	}
	defer client.Close()

	var times []time.Duration
	for number := 1; number <= count; number++ {
		took, err := client.Ping(ctx)
		if err != nil {
			return t.explain(err)
		}
		times = append(times, took)
		if err := c.printPong(t, client.Address(), number, took); err != nil {
			return err
		}
	}
	if count > 1 {
		slices.Sort(times)
		c.note("%d answers: shortest %s, middle %s, longest %s",
			count, round(times[0]), round(times[count/2]), round(times[count-1]))
	}
	return nil
}

func (c *cli) printPong(t target, address string, number int, took time.Duration) error {
	if c.wantsJSON() {
		return c.emit(pongJSON{t.service, address, number, float64(took) / float64(time.Microsecond)})
	}
	paint := c.out()
	return c.print(fmt.Sprintf("%s %s %s\n", t.service, paint.dim("at "+address), paint.green(round(took).String())))
}
