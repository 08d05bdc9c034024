package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/internal/registry"
)

func (c *cli) resolveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "resolve NAME",
		Short:   "Show where a service is found, and each place looked at",
		GroupID: groupLook,
		Long: `Show where a service is found, and each place looked at on the way: first the
folders of the search path, then the mapping file, then the sockets. The first
hit wins. Nothing is connected to.

-j prints one object: name, address, source, path, places.`,
		Example: `  ekko-ipc resolve database-service
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
	Name      string      `json:"name"`
	Address   string      `json:"address,omitempty"`
	Fallbacks []string    `json:"fallbacks,omitempty"`
	Source    string      `json:"source,omitempty"`
	Path      string      `json:"path,omitempty"`
	Places    []placeJSON `json:"places"`
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
	if c.wantsJSON() {
		return c.emit(resolutionJSON{
			found.Name, found.Address, found.Fallbacks, found.Source, found.Path, placesJSON(found.Places),
		})
	}
	return c.print(resolutionText(found, c.out()))
}

func placesJSON(places []registry.Place) []placeJSON {
	list := make([]placeJSON, len(places))
	for i, place := range places {
		list[i] = placeJSON(place)
	}
	return list
}

func resolutionText(r *registry.Resolution, paint palette) string {
	p := &page{paint: paint}
	p.line(0, paint.cyan(r.Name)+" is at "+paint.bold(r.Address))
	for _, fallback := range r.Fallbacks {
		p.line(2, "else at "+fallback)
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
