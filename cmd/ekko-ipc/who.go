package main

import (
	"cmp"
	"context"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
)

func (c *cli) whoCommand() *cobra.Command {
	var again bool
	cmd := &cobra.Command{
		Use:     "who SERVICE",
		Short:   "Show who listens to a service",
		GroupID: groupLook,
		Long: `Show who listens to a service: each subscription with the process behind it, how
many events wait for it (QUEUED), it has been given (DELIVERED) and has lost
because it was too slow (DROPPED).

As JSON, each subscription is a line. --watch goes on with who comes and goes:
"kind" is then "join" or "leave", "here" for those that were there before.`,
		Example: `  ekko-ipc who notification-service
  ekko-ipc who shop | jq -r 'select(.dropped > 0) | .pid'
  ekko-ipc who shop --watch`,
		Args:              needs(1, 1, "SERVICE"),
		ValidArgsFunction: c.completeServices,
		RunE: func(cmd *cobra.Command, words []string) error {
			t, err := parseService(words[0])
			if err != nil {
				return asUsage(err, cmd)
			}
			if again {
				return c.watchWho(cmd.Context(), t)
			}
			return c.with(cmd.Context(), &t, func(ctx context.Context, client *ipc.Client) error {
				list, err := listeners(ctx, client)
				if err != nil {
					return err
				}
				return c.printWho(t, list)
			})
		},
	}
	cmd.Flags().BoolVarP(&again, "watch", "w", false, "go on with who comes and goes")
	return cmd
}

// listenerJSON is a line of who, as the service says it.
type listenerJSON struct {
	Kind         string  `json:"kind,omitempty"` // of --watch: here, join, leave
	Subscription string  `json:"subscription"`
	Pattern      string  `json:"pattern"`
	Group        string  `json:"group,omitempty"`
	Durable      bool    `json:"durable,omitzero"` // the group is its own, by its name
	Known        bool    `json:"known"`            // the kernel says who it is
	PID          int32   `json:"pid,omitempty"`
	UID          *uint32 `json:"uid,omitempty"`
	SID          string  `json:"sid,omitempty"`
	Exe          string  `json:"exe,omitempty"`
	Queued       *int    `json:"queued,omitempty"`
	Delivered    *uint64 `json:"delivered,omitempty"`
	Dropped      *uint64 `json:"dropped,omitempty"`
	Behind       *uint64 `json:"behind,omitempty"` // only of some services
}

// listeners asks a service who listens to it.
func listeners(ctx context.Context, client *ipc.Client) (list []listenerJSON, err error) {
	data, err := client.Call(ctx, "ipc.who")
	if err == nil {
		err = data.Decode(&list)
	}
	slices.SortFunc(list, func(a, b listenerJSON) int {
		return cmp.Or(strings.Compare(a.Pattern, b.Pattern), strings.Compare(a.Group, b.Group),
			cmp.Compare(a.PID, b.PID), strings.Compare(a.Subscription, b.Subscription))
	})
	return list, err
}

func (c *cli) printWho(t target, list []listenerJSON) error {
	if !c.wantsJSON() {
		if len(list) == 0 {
			c.note("nobody listens to %s", t.service)
			return nil
		}
		return c.print(whoTable(list, c.out()))
	}
	for _, l := range list {
		if err := c.emit(l); err != nil {
			return err
		}
	}
	return nil
}

func whoTable(list []listenerJSON, paint palette) string {
	g := &grid{paint: paint}
	head := []string{"PATTERN", "GROUP", "PID", "PROGRAM", "USER", "QUEUED", "DELIVERED", "DROPPED"}
	if slices.ContainsFunc(list, func(l listenerJSON) bool { return l.Behind != nil }) {
		head = append(head, "BEHIND")
	}
	g.row(head...)
	for _, l := range list {
		g.row(l.Pattern, firstOf(l.Group, "-"), l.pid(), l.program(), l.user(), number(l.Queued), number(l.Delivered), number(l.Dropped), number(l.Behind))
	}
	return g.String()
}

func number[T int | uint64](n *T) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(int64(*n), 10)
}

func (l *listenerJSON) pid() string {
	if l.PID == 0 {
		return "-"
	}
	return strconv.Itoa(int(l.PID))
}

func (l *listenerJSON) program() string {
	if l.Exe == "" {
		return "-"
	}
	return filepath.Base(l.Exe)
}

// user returns the name of the user, the number if he has none.
func (l *listenerJSON) user() string {
	if !l.Known || l.UID == nil {
		return "-"
	}
	id := l.SID
	if id == "" {
		id = strconv.FormatUint(uint64(*l.UID), 10)
	}
	if found, err := user.LookupId(id); err == nil {
		return found.Username
	}
	return id
}

// presence is the channel that tells who comes and goes.
const presence = "ipc.presence"

// watchWho prints who is there, and then who comes and goes, until ctx ends.
func (c *cli) watchWho(ctx context.Context, t target) error {
	dialling, cancelDial := context.WithTimeout(ctx, usualTimeout)
	defer cancelDial()
	client, err := c.dial(dialling, &t, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	// First this: who comes while the list is made is not missed.
	changes, err := client.Subscribe(dialling, presence, nil)
	if err != nil {
		return t.explain(err)
	}
	defer changes.Close()
	list, err := listeners(dialling, client)
	if err != nil {
		return t.explain(err)
	}
	here := map[string]bool{}
	for _, l := range list {
		here[l.key()] = true
		l.Kind = "here"
		if err := c.printPresence(&l); err != nil {
			return err
		}
	}
	c.note("watching who comes and goes at %s", t.service)
	ctx, cancel := c.deadline(ctx, 0)
	defer cancel()
	for {
		event, err := changes.Next(ctx)
		if ctx.Err() != nil {
			return signalled(ctx) // or watching for that long was all that was asked
		}
		if err != nil {
			return t.explain(err)
		}
		if event.Gap != nil {
			c.note("%s", missed(event))
		}
		var l listenerJSON
		if err := event.Decode(&l); err != nil {
			return err
		}
		if l.Kind == "join" && here[l.key()] {
			delete(here, l.key()) // came while the list was made, and is in it
			continue
		}
		l.Queued, l.Delivered, l.Dropped = nil, nil, nil // all 0 at that moment
		if err := c.printPresence(&l); err != nil {
			return err
		}
	}
}

// key tells a subscription from others.
func (l *listenerJSON) key() string { return l.pid() + " " + l.Subscription + " " + l.Pattern }

// own reports whether it is this process that watches.
func (l *listenerJSON) own() bool { return l.Pattern == presence && int(l.PID) == os.Getpid() }

func (c *cli) printPresence(l *listenerJSON) error {
	if l.own() {
		return nil
	}
	if c.wantsJSON() {
		return c.emit(l)
	}
	paint, sign := c.out(), " "
	switch l.Kind {
	case "join":
		sign = c.out().green("+")
	case "leave":
		sign = c.out().red("-")
	}
	words := []string{sign, paint.cyan(l.Pattern)}
	if l.Group != "" {
		words = append(words, "in "+l.Group)
	}
	if l.PID != 0 {
		words = append(words, l.program()+" (pid "+l.pid()+", "+l.user()+")")
	}
	return c.print(strings.Join(words, "  ") + "\n")
}
