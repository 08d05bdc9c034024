package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

// NotFound is the cause of SERVICE_NOT_FOUND when no place had the service.
type NotFound struct {
	Name       string
	Suggestion string  // a name that exists and was probably meant, or ""
	Places     []Place // each place looked at, in order
}

// Error names the service, what may have been meant, and on a line each every
// place looked at.
func (e *NotFound) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "service %q not found", e.Name)
	if e.Suggestion != "" {
		fmt.Fprintf(&b, "; did you mean %q?", e.Suggestion)
	}
	b.WriteString("\nlooked at:")
	for _, p := range e.Places {
		fmt.Fprintf(&b, "\n  %s: %s", quoted(p.Path), strings.ReplaceAll(p.Outcome, "\n", " "))
	}
	return b.String()
}

func (s *search) notFound(ctx context.Context) error {
	nf := &NotFound{Name: s.name, Places: s.places}
	// A failure to list what there is must not hide that the service is not.
	if known, err := s.registry.names(ctx); err == nil {
		nf.Suggestion = manifest.Closest(s.name, known)
	}
	return wire.Errorf(wire.CodeServiceNotFound, "%w", nf)
}

// names returns the names of all services that could be resolved, or nearly:
// whether anybody serves a socket is not asked.
func (r *Registry) names(ctx context.Context) ([]string, error) {
	sv, err := r.survey(ctx)
	if err != nil {
		return nil, err
	}
	names, _, _ := sockets()
	for _, found := range sv.found {
		names = append(names, found.Name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
