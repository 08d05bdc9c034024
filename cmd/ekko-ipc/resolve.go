package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/registry"
	"github.com/ekkojs/ipc/transport"
)

func (c *cli) resolveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "resolve NAME",
		Short:   "Show where a service is found, and each place looked at",
		GroupID: groupLook,
		Long: `Show where a service is found, and each place looked at on the way: first the
folders of the search path, then the mapping file, then the sockets. The first
hit wins. Where a service has several addresses, its transport and its
fallbacks, a client connects to the first that works.

Nothing is connected to, unless -v is given: then each address is tried, and
what came of it is shown.

-j prints one object: name, address, source, path, places, and ways, which are
the addresses in the order in which they are tried.`,
		Example: `  ekko-ipc resolve database-service
  ekko-ipc resolve -v database-service      # which addresses work
  socat - "$(ekko-ipc resolve database-service -j | jq -r .address | sed s/unix:/UNIX:/)"`,
		Args:              needs(1, 1, "NAME"),
		ValidArgsFunction: c.completeServices,
		RunE: func(cmd *cobra.Command, words []string) error {
			if isAddress(words[0]) {
				return asUsage(fmt.Errorf("%s is an address already; resolve takes a name", words[0]), cmd)
			}
			return c.resolve(cmd.Context(), words[0])
		},
	}
}

// resolutionJSON is what resolve prints. A service that is not found has only
// a name and the places.
type resolutionJSON struct {
	Name    string      `json:"name"`
	Address string      `json:"address,omitempty"`
	Source  string      `json:"source,omitempty"`
	Path    string      `json:"path,omitempty"`
	Ways    []wayJSON   `json:"ways,omitempty"`
	Places  []placeJSON `json:"places"`
}

// wayJSON is one way to a service, and whether it works if that was tried.
type wayJSON struct {
	Type    string  `json:"type,omitempty"` // in the manifest
	Address string  `json:"address,omitempty"`
	Works   *bool   `json:"works,omitempty"`
	Micros  float64 `json:"connectMicros,omitzero"`
	Error   string  `json:"error,omitempty"`
}

type placeJSON struct {
	Path    string `json:"path"`
	Outcome string `json:"outcome"`
	Found   bool   `json:"found"`
}

func (c *cli) resolve(ctx context.Context, name string) error {
	ctx, cancel := c.deadline(ctx, usualTimeout)
	defer cancel()
	found, err := c.registry().Resolve(ctx, name)
	if err != nil {
		if notFound, ok := errors.AsType[*registry.NotFound](err); ok && c.wantsJSON() {
			if err := c.emit(resolutionJSON{Name: name, Places: placesJSON(notFound.Places)}); err != nil {
				return err
			}
		}
		return target{service: name}.explain(err)
	}
	ways := waysJSON(found.Ways)
	if c.verbose {
		tryWays(ctx, ways)
	}
	if c.wantsJSON() {
		return c.emit(resolutionJSON{found.Name, found.Address, found.Source, found.Path, ways, placesJSON(found.Places)})
	}
	return c.print(resolutionText(found, ways, c.out()))
}

func waysJSON(ways []ipc.Way) []wayJSON {
	list := make([]wayJSON, len(ways))
	for i, way := range ways {
		list[i].Address = way.Address
		if way.Transport != nil {
			list[i].Type = string(way.Transport.Type)
		}
		if way.Err != nil {
			list[i].Works, list[i].Error = new(bool), way.Err.Error()
		}
	}
	return list
}

// tryWays connects by each way, one after the other: they are few, and what
// one costs is of interest.
func tryWays(ctx context.Context, ways []wayJSON) {
	for i := range ways {
		way := &ways[i]
		if way.Address == "" {
			continue
		}
		within, cancel := context.WithTimeout(ctx, probeTimeout)
		begin := time.Now()
		conn, err := transport.Dial(within, way.Address, nil)
		took := time.Since(begin)
		cancel()
		works := err == nil
		way.Works = &works
		if works {
			way.Micros = float64(took.Nanoseconds()) / 1e3
			conn.Close()
		} else {
			way.Error = err.Error()
		}
	}
}

func placesJSON(places []registry.Place) []placeJSON {
	list := make([]placeJSON, len(places))
	for i, place := range places {
		list[i] = placeJSON(place)
	}
	return list
}

func resolutionText(r *registry.Resolution, ways []wayJSON, paint palette) string {
	p := &page{paint: paint}
	p.line(0, paint.cyan(r.Name)+" is at "+paint.bold(r.Address))
	if len(ways) > 1 || ways[0].Works != nil {
		p.line(0, "ways, the first that works is taken:")
		for i, way := range ways {
			p.line(2, strconv.Itoa(i+1)+". "+wayText(way, paint))
		}
	}
	p.line(0, "looked at:")
	for _, place := range r.Places {
		outcome := paint.dim(place.Outcome)
		if place.Found {
			outcome = paint.green(place.Outcome) + paint.dim(" ("+r.Source+")")
		}
		p.line(2, place.Path+": "+outcome)
	}
	return p.String()
}

func wayText(way wayJSON, paint palette) string {
	text := way.Address
	if text == "" {
		text = way.Type
	}
	switch {
	case way.Works == nil:
		return text
	case *way.Works:
		return text + ": " + paint.green("connected") + paint.dim(" in "+strconv.FormatFloat(way.Micros, 'f', 0, 64)+" µs")
	}
	return text + ": " + paint.red(way.Error)
}
