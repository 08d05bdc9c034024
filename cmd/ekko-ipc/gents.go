package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/internal/gen"
	"github.com/ekkojs/ipc/internal/registry"
	"github.com/ekkojs/ipc/internal/registry/watch"
)

// tsOptions are the flags of gen ts.
type tsOptions struct {
	output     string
	all, watch bool
}

func (c *cli) genTSCommand() *cobra.Command {
	var o tsOptions
	cmd := &cobra.Command{
		Use:   "ts [SERVICE…]",
		Short: "Declare the modules 'ipc:NAME' for TypeScript and for editors",
		Long: `Declare the modules 'ipc:NAME' for TypeScript and for editors, in ekko-env.d.ts:
methods with their parameters and results, events with their data, and what was
written about them. Put the file where the compiler looks for sources, such as
the root of the project; a wrong argument, event or payload does not compile
then.

SERVICE is a name, or the file of a manifest. --all takes all services that
"ekko-ipc ls" shows. --watch goes on, and writes the file anew whenever a
manifest has changed; one that is broken meanwhile leaves the file as it is.`,
		Example: `  ekko-ipc gen ts database-service notification-service
  ekko-ipc gen ts --all --watch
  ekko-ipc gen ts --all -o types/ekko-env.d.ts
  ekko-ipc gen ts ./orders.ekko.ipc.json -o - | less`,
		Args:              c.servicesOrAll(&o),
		ValidArgsFunction: c.completeMoreServices,
		RunE: func(cmd *cobra.Command, words []string) error {
			if o.watch {
				return c.typesAgain(cmd.Context(), words, &o)
			}
			return c.types(cmd.Context(), c.registry(), words, &o)
		},
	}
	outputFlag(cmd, &o.output, "ekko-env.d.ts", "ts")
	cmd.Flags().BoolVar(&o.all, "all", false, "all services that can be found from here")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "write the file again whenever a manifest changes")
	return cmd
}

// servicesOrAll wants to be told of which services, in one of the two ways.
func (c *cli) servicesOrAll(o *tsOptions) cobra.PositionalArgs {
	return func(_ *cobra.Command, words []string) error {
		switch {
		case o.all && len(words) > 0:
			return errors.New("--all and the names of services exclude each other")
		case !o.all && len(words) == 0:
			return hint(errors.New("missing SERVICE"), "for all that can be found from here: ekko-ipc gen ts --all")
		}
		return nil
	}
}

// types writes the file once.
func (c *cli) types(ctx context.Context, r *registry.Registry, words []string, o *tsOptions) error {
	services, err := c.services(ctx, r, words, o)
	if err != nil {
		return err
	}
	return c.write(o.output, gen.TypeScript(services), namesOf(services)...)
}

func (c *cli) services(ctx context.Context, r *registry.Registry, words []string, o *tsOptions) (services []gen.Service, err error) {
	for _, word := range words {
		if isAddress(word) {
			return nil, &usageError{err: errors.New(word + " is an address, and programs import services by their names")}
		}
		s, err := c.promised(ctx, word)
		if err != nil {
			return nil, err
		}
		services = append(services, s)
	}
	if !o.all {
		return services, nil
	}
	found, err := r.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if m := c.manifestOf(ctx, f); m != nil {
			services = append(services, gen.Service{Name: f.Name, Manifest: m})
		} else {
			c.note("%s is left out: it has no manifest, and does not answer", f.Name)
		}
	}
	if len(services) == 0 {
		c.note("no services found; manifests are looked for in ./, ./ipc and more: ekko-ipc ls --help")
	}
	return services, nil
}

// typesAgain writes the file now and whenever a manifest has changed, until ctx
// ends. What is wrong meanwhile is told once, and leaves the file as it was.
func (c *cli) typesAgain(ctx context.Context, words []string, o *tsOptions) error {
	if o.output == "-" {
		return &usageError{err: errors.New("--watch writes a file: name it with -o FILE")}
	}
	ctx, cancel := c.deadline(ctx, 0)
	defer cancel()
	r, changed := c.registry(), make(chan struct{}, 1)
	ended, err := watch.Start(ctx, r, func() {
		select {
		case changed <- struct{}{}:
		default: // it will be looked at anyway
		}
	}, nil)
	if err != nil {
		return err
	}
	defer func() { cancel(); <-ended }()

	var before []byte
	told := ""
	for {
		services, err := c.services(ctx, r, words, o)
		if ctx.Err() != nil {
			return signalled(ctx) // or watching for that long was all that was asked
		}
		if err == nil {
			told = ""
			if text := gen.TypeScript(services); before == nil || !bytes.Equal(text, before) {
				if err := c.write(o.output, text, namesOf(services)...); err != nil {
					return err
				}
				before = text
			}
		} else if err.Error() != told {
			told = err.Error()
			c.report(err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return signalled(ctx)
		}
	}
}

func namesOf(services []gen.Service) []string {
	names := []string{}
	for _, s := range services {
		names = append(names, s.Name)
	}
	return names
}

// completeMoreServices completes each word to a service that is not named yet.
func (c *cli) completeMoreServices(cmd *cobra.Command, words []string, word string) ([]string, cobra.ShellCompDirective) {
	choices, directive := c.completeServices(cmd, nil, word)
	return slices.DeleteFunc(choices, func(choice string) bool {
		name, _, _ := strings.Cut(choice, "\t")
		return slices.Contains(words, name)
	}), directive
}
