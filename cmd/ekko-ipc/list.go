package main

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	// With what watches it, what makes certificates and what gen writes the one
	// internal package that a command may import: the face of the library finds
	// services, but does not list them or say where it looked, which is what ls,
	// resolve and completion are for.
	"github.com/ekkojs/ipc/internal/registry"
	"github.com/ekkojs/ipc/internal/registry/watch"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/transport"
)

// registry returns the registry over what is on this machine's disk now.
func (c *cli) registry() *registry.Registry { return registry.New(nil) }

// manifestOnDisk returns the manifest of a service, nil if there is none.
func (c *cli) manifestOnDisk(ctx context.Context, service string) *manifest.Manifest {
	if isAddress(service) {
		return nil
	}
	resolution, err := c.registry().Resolve(ctx, service)
	if err != nil {
		return nil
	}
	return resolution.Manifest
}

func (c *cli) lsCommand() *cobra.Command {
	var again bool
	cmd := &cobra.Command{
		Use:     "ls",
		Short:   "List the services that can be found from here",
		GroupID: groupLook,
		Long: `List the services that can be found from here, and whether something listens
at their address.

A service is found by its manifest, in the folders of EKKO_IPC_PATH (or --path),
the current folder and its ipc, .ekko/ipc and services, and the user's and the
system's. "ekko-ipc resolve NAME" shows each place for one of them.

With --watch the list is printed again whenever it changes, until interrupted or
for as long as --timeout says. As JSON, each line is then a whole list:
{"services":[…]}.`,
		Example: `  ekko-ipc ls
  ekko-ipc ls -j | jq -r 'select(.running) | .name'
  ekko-ipc ls --path ./examples/database-service
  ekko-ipc ls --watch | jq -c '[.services[] | select(.running) | .name]'`,
		Args:              needs(0, 0, "ls"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if again {
				return c.listAgain(cmd.Context())
			}
			return c.list(cmd.Context())
		},
	}
	cmd.Flags().BoolVarP(&again, "watch", "w", false, "print the list again whenever it changes")
	return cmd
}

// serviceJSON is a line of ls, and a part of one of ls --watch.
type serviceJSON struct {
	Name        string `json:"name"`
	Version     string `json:"version,omitempty"`
	Description string `json:"description,omitempty"`
	Address     string `json:"address"`
	Source      string `json:"source"`
	Running     bool   `json:"running"`
}

// listJSON is a line of ls --watch.
type listJSON struct {
	Services []serviceJSON `json:"services"`
}

func (c *cli) list(ctx context.Context) error {
	ctx, cancel := c.deadline(ctx, usualTimeout)
	defer cancel()
	services, err := find(ctx, c.registry())
	if err != nil {
		return err
	}
	if !c.wantsJSON() {
		return c.printList(services)
	}
	for _, service := range services {
		if err := c.emit(service); err != nil {
			return err
		}
	}
	return nil
}

// lookAgain is how often the list is looked at when no file has changed: that
// a process was killed, or listens at a TCP port now, no file tells.
const lookAgain = 2 * time.Second

// listAgain prints the list, and each time that it has changed the whole of it
// again, until ctx ends.
func (c *cli) listAgain(ctx context.Context) error {
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
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()

	var before []serviceJSON // nil: nothing is printed yet
	for {
		services, err := find(ctx, r)
		if ctx.Err() != nil {
			return signalled(ctx) // or watching for that long was all that was asked
		}
		if err != nil {
			return err
		}
		if before == nil || !slices.Equal(before, services) {
			if err := c.printListAgain(services, before == nil); err != nil {
				return err
			}
			before = services
		}
		select {
		case <-changed:
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

func (c *cli) printListAgain(services []serviceJSON, first bool) error {
	if c.wantsJSON() {
		return c.emit(listJSON{services})
	}
	if !first {
		if err := c.print("\n"); err != nil {
			return err
		}
	}
	return c.printList(services)
}

// find returns all services, never nil, and whether they run.
func find(ctx context.Context, r *registry.Registry) ([]serviceJSON, error) {
	found, err := r.List(ctx)
	if err != nil {
		return nil, err
	}
	services := make([]serviceJSON, len(found))
	for i, resolution := range found {
		services[i] = newServiceJSON(resolution)
	}
	probe(ctx, services)
	return services, nil
}

// printList prints the services for people.
func (c *cli) printList(services []serviceJSON) error {
	if len(services) == 0 {
		c.note("no services found; manifests are looked for in ./, ./ipc and more: ekko-ipc ls --help")
		return nil
	}
	return c.print(table(services, c.out()))
}

func newServiceJSON(r *registry.Resolution) serviceJSON {
	service := serviceJSON{Name: r.Name, Address: r.Address, Source: r.Source}
	if r.Manifest != nil {
		service.Version = r.Manifest.Service.Version
		service.Description = r.Manifest.Service.Description
	}
	return service
}

// probeTimeout bounds the look at one address. A local socket answers in
// microseconds or not at all.
const probeTimeout = time.Second

// probe finds out which of the services run, all at once. It only connects: a
// service that hangs is running too.
func probe(ctx context.Context, services []serviceJSON) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var probing sync.WaitGroup
	for i := range services {
		probing.Go(func() {
			conn, err := connect(ctx, services[i].Address)
			if err == nil {
				conn.Close()
			}
			services[i].Running = err == nil
		})
	}
	probing.Wait()
}

// connect opens a connection over which nothing is to be said: of TLS, whose
// first word would be who is who, no more than the port.
func connect(ctx context.Context, address string) (io.Closer, error) {
	if port, ok := strings.CutPrefix(address, transport.SchemeTLS+":"); ok {
		return new(net.Dialer).DialContext(ctx, "tcp", port)
	}
	return transport.Dial(ctx, address, nil)
}

// table lays the services out in columns.
func table(services []serviceJSON, paint palette) string {
	name, version, address := len("NAME"), len("VERSION"), len("ADDRESS")
	for _, s := range services {
		name, version, address = max(name, len(s.Name)), max(version, len(s.Version)), max(address, len(s.Address))
	}
	var b strings.Builder
	row := func(cells ...string) {
		b.WriteString(strings.TrimRight(strings.Join(cells, "  "), " "))
		b.WriteByte('\n')
	}
	row(paint.dim(pad("NAME", name)), paint.dim(pad("VERSION", version)), paint.dim("STATE  "),
		paint.dim(pad("ADDRESS", address)), paint.dim("DESCRIPTION"))
	for _, s := range services {
		state := paint.dim("-      ")
		if s.Running {
			state = paint.green("running")
		}
		row(paint.cyan(pad(s.Name, name)), pad(s.Version, version), state, pad(s.Address, address), shorten(s.Description, 60))
	}
	return b.String()
}
