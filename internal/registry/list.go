package registry

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// List returns all services that Resolve finds, each once, sorted by name.
// Their Places hold only the place where they were found. Files that cannot
// be used are left out: see Problems.
func (r *Registry) List(ctx context.Context) ([]*Resolution, error) {
	sv, err := r.survey(ctx)
	if err != nil {
		return nil, err
	}
	// A runtime directory that cannot be read has no services to list.
	names, addresses, _ := sockets()
	for i, name := range names {
		if err := alive(ctx, "list services"); err != nil {
			return nil, err
		}
		if sv.has(name) || sv.leadsTo(addresses[i]) {
			continue
		}
		if found, err := living(ctx, name, addresses[i]); err == nil {
			sv.add(found)
		}
	}
	slices.SortFunc(sv.found, func(a, b *Resolution) int { return strings.Compare(a.Name, b.Name) })
	return sv.found, nil
}

// Problems returns the places that cannot be used, with the reason: broken
// manifests, refused directories, and manifests that others hide.
func (r *Registry) Problems(ctx context.Context) ([]Place, error) {
	sv, err := r.survey(ctx)
	if err != nil {
		return nil, err
	}
	return sv.problems, nil
}

// survey is a look at everything but the runtime directory.
type survey struct {
	found    []*Resolution
	byName   map[string]*Resolution
	problems []Place
}

func (v *survey) has(name string) bool { return v.byName[name] != nil }

// leadsTo reports whether a service is found at address: its socket need not
// be called by the service's name.
func (v *survey) leadsTo(address string) bool {
	return slices.ContainsFunc(v.found, func(r *Resolution) bool { return r.Address == address })
}

// add enters r unless an earlier place has the service.
func (v *survey) add(r *Resolution) {
	if first := v.byName[r.Name]; first != nil {
		v.problem(r.Path, "hidden: service "+strconv.Quote(r.Name)+" is found in "+first.Path)
		return
	}
	r.Places = []Place{{Path: r.Path, Outcome: "found", Found: true}}
	v.byName[r.Name] = r
	v.found = append(v.found, r)
}

func (v *survey) problem(path, outcome string) {
	v.problems = append(v.problems, Place{Path: path, Outcome: outcome})
}

func (r *Registry) survey(ctx context.Context) (*survey, error) {
	v := &survey{byName: make(map[string]*Resolution)}
	for _, dir := range r.SearchPath() {
		if err := v.folder(ctx, r.folder(dir)); err != nil {
			return nil, err
		}
	}
	for _, path := range r.mappingPaths() {
		if err := alive(ctx, "list services"); err != nil {
			return nil, err
		}
		v.mapping(path, r)
	}
	return v, nil
}

// folder enters the manifests of a directory, in the order in which Resolve
// prefers them.
func (v *survey) folder(ctx context.Context, d *folder) error {
	if err := alive(ctx, "list services"); err != nil {
		return err
	}
	if err := d.check(); err != nil {
		v.absence(d.path, err)
		return nil
	}
	files, more, err := d.all(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		v.problem(d.path, outcome(d.path, err))
		return nil
	}
	if more {
		v.problem(d.path, "has more manifests or files than are looked at")
	}
	slices.SortStableFunc(files, func(a, b *file) int { return b.preference() - a.preference() })
	for _, f := range files {
		if f.manifest == nil {
			v.problem(f.path, outcome(f.path, f.err))
		} else if found, err := resolutionOf(f); err != nil {
			v.problem(f.path, err.Error())
		} else {
			v.add(found)
		}
	}
	return nil
}

// preference is 1 for a file that is named as its service.
func (f *file) preference() int {
	if f.manifest != nil && filepath.Base(f.path) == f.manifest.Service.Name+suffix {
		return 1
	}
	return 0
}

// absence enters a place that cannot be used, unless it just is not there.
func (v *survey) absence(path string, err error) {
	if text := outcome(path, err); text != notThere {
		v.problem(path, text)
	}
}

func (v *survey) mapping(path string, r *Registry) {
	m, err := r.mapping(path)
	if err != nil {
		v.absence(path, err)
		return
	}
	for _, name := range m.names {
		if v.has(name) {
			continue // to map what is found anyway is no mistake
		}
		if found, err := m.resolve(r, name); err != nil {
			v.problem(path, err.Error())
		} else {
			v.add(found)
		}
	}
}
