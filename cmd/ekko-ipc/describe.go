package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/manifest"
)

func (c *cli) describeCommand() *cobra.Command {
	var live bool
	cmd := &cobra.Command{
		Use:     "describe SERVICE[.METHOD]",
		Short:   "Show what a service, a method or an event promises",
		GroupID: groupLook,
		Long: `Show what a service, a method or an event promises, from its manifest. The
service need not run for that; --live asks the running one instead.

-j prints the manifest, or the part of it that is asked for, as JSON.`,
		Example: `  ekko-ipc describe database-service
  ekko-ipc describe database-service.getUserById
  ekko-ipc describe notification-service.user.created
  ekko-ipc describe database-service -j | jq -r '.methods | keys[]'`,
		Args:              needs(1, 2, "SERVICE"),
		ValidArgsFunction: c.completeMethods(true),
		RunE: func(cmd *cobra.Command, words []string) error {
			d, err := c.find(cmd.Context(), words, live)
			if err != nil {
				return err
			}
			return c.describe(d)
		},
	}
	cmd.Flags().BoolVar(&live, "live", false, "ask the running service, not the file")
	return cmd
}

// description is a manifest, where it is from, and the part to show.
type description struct {
	manifest *manifest.Manifest
	service  string // as the user called it
	address  string
	part     string // the name of a method or an event; "" for all
}

// find finds the manifest that words speak of. Since names of services, methods
// and events may all hold dots, the longest beginning that is a service's name
// decides where the rest begins.
func (c *cli) find(ctx context.Context, words []string, live bool) (description, error) {
	if isAddress(words[0]) {
		return c.findLive(ctx, words[0], strings.Join(words[1:], "."))
	}
	word := strings.Join(words, ".")
	t, err := parseService(word)
	if err != nil {
		return description{}, err
	}
	var notFound error // about the shortest beginning but the last part
	for name, part := word, ""; ; {
		resolution, err := c.registry().Resolve(ctx, name)
		switch {
		case err == nil && (live || resolution.Manifest == nil):
			return c.findLive(ctx, name, part)
		case err == nil:
			return description{resolution.Manifest, name, resolution.Address, part}, nil
		}
		notFound = err
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			t.service = name
			return description{}, t.explain(notFound)
		}
		name, part = name[:dot], strings.TrimSuffix(name[dot+1:]+"."+part, ".")
	}
}

// findLive asks the running service.
func (c *cli) findLive(ctx context.Context, service, part string) (description, error) {
	ctx, cancel := c.deadline(ctx, usualTimeout)
	defer cancel()
	t := target{service: service}
	client, err := c.dial(ctx, &t, nil)
	if err != nil {
		return description{}, err
	}
	defer client.Close()
	found, err := client.Describe(ctx)
	if err != nil {
		return description{}, t.explain(err)
	}
	return description{found, service, client.Address(), part}, nil
}

func (c *cli) describe(d description) error {
	if d.part == "" {
		if c.wantsJSONDocument() {
			return c.print(string(d.manifest.Raw()) + "\n")
		}
		return c.print(d.text(c.out()))
	}
	method, event := d.manifest.MethodByName(d.part), d.manifest.EventByName(d.part)
	if method == nil && event == nil {
		return d.noSuchPart()
	}
	if c.wantsJSONDocument() {
		return c.print(d.rawPart(method != nil) + "\n")
	}
	if method != nil {
		return c.print(d.methodText(method, c.out()))
	}
	return c.print(d.eventText(event, c.out()))
}

func (d description) noSuchPart() error {
	err := hint(fmt.Errorf("%s has no method and no event %q", d.service, d.part), d.nearPart())
	return hint(&usageError{err: err}, "see what it has: ekko-ipc describe "+d.service)
}

func (d description) nearPart() string {
	guess := d.manifest.Suggest(d.part)
	if guess == "" {
		guess = d.manifest.SuggestEvent(d.part)
	}
	if guess == "" {
		return ""
	}
	return "did you mean " + d.service + "." + guess + "?"
}

// rawPart returns the part as the manifest spells it.
func (d description) rawPart(isMethod bool) string {
	var parts struct {
		Methods map[string]json.RawMessage `json:"methods"`
		Events  map[string]json.RawMessage `json:"events"`
	}
	if err := json.Unmarshal(d.manifest.Raw(), &parts); err != nil {
		return "null" // impossible: it has been parsed before
	}
	if isMethod {
		return oneLine(parts.Methods[d.part])
	}
	return oneLine(parts.Events[strings.TrimPrefix(d.part, "events.")])
}
