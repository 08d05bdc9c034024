package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	// The one internal package that a command may import: the face of the
	// library finds services, but does not list them or say where it looked,
	// which is what ls, resolve and completion are for.
	"github.com/ekkojs/ipc/internal/registry"
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
	return &cobra.Command{
		Use:     "ls",
		Short:   "List the services that can be found from here",
		GroupID: groupLook,
		Long: `List the services that can be found from here, and whether something listens
at their address.

A service is found by its manifest, in the folders of EKKO_IPC_PATH (or --path),
the current folder and its ipc, .ekko/ipc and services, and the user's and the
system's. "ekko-ipc resolve NAME" shows each place for one of them.`,
		Example: `  ekko-ipc ls
  ekko-ipc ls -j | jq -r 'select(.running) | .name'
  ekko-ipc ls --path ./examples/database-service`,
		Args:              needs(0, 0, "ls"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.list(cmd.Context()) },
	}
}

// serviceJSON is a line of ls.
type serviceJSON struct {
	Name        string `json:"name"`
	Version     string `json:"version,omitempty"`
	Description string `json:"description,omitempty"`
	Address     string `json:"address"`
	Source      string `json:"source"`
	Running     bool   `json:"running"`
}

func (c *cli) list(ctx context.Context) error {
	ctx, cancel := c.deadline(ctx, usualTimeout)
	defer cancel()
	found, err := c.registry().List(ctx)
	if err != nil {
		return err
	}
	services := make([]serviceJSON, len(found))
	for i, resolution := range found {
		services[i] = newServiceJSON(resolution)
	}
	probe(ctx, services)
	if c.wantsJSON() {
		for _, service := range services {
			if err := c.emit(service); err != nil {
				return err
			}
		}
		return nil
	}
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
			conn, err := transport.Dial(ctx, services[i].Address, nil)
			if err == nil {
				conn.Close()
			}
			services[i].Running = err == nil
		})
	}
	probing.Wait()
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
