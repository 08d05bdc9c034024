package manifest

import (
	"maps"
	"slices"
	"strings"
)

// A type may contain itself where a value can end: in an array, or behind a
// "?". It may not where it cannot, and not without anything between.

// cycles reports the types that no value could satisfy, and takes them apart so
// that nothing runs in circles over them afterwards; n is the field "types".
func (r *reader) cycles(n *node) {
	d := &descent{r: r, state: map[string]int{}}
	for _, at := range n.members {
		if r.m.Types[at.name] != nil {
			d.visit(at.name, n)
		}
	}
	ends := map[*Type]bool{}
	for _, at := range n.members {
		if t := r.m.Types[at.name]; t != nil && aliasLoop(t, ends) {
			r.errorf(at.value, "cyclic-type", "the type %s is nothing but itself", quote(at.name))
			*t = Type{Kind: KindAny}
		}
	}
}

// aliasLoop reports whether following a type's aliases never ends, which the
// descent cannot see when one of them is nullable. What is known to end is
// noted in ends, so a long chain is walked but once.
func aliasLoop(t *Type, ends map[*Type]bool) bool {
	way := map[*Type]bool{}
	for ; t.Kind == KindNamed && !ends[t]; t = t.Target {
		if way[t] {
			return true
		}
		way[t] = true
	}
	maps.Copy(ends, way)
	return false
}

// descent walks from type to type over what must be there.
type descent struct {
	r     *reader
	state map[string]int // 1 on the way, 2 done
	way   []string
}

func (d *descent) visit(name string, n *node) {
	switch d.state[name] {
	case 1:
		if d.r.full() {
			d.r.count[Error]++
			return
		}
		loop := append(slices.Clone(d.way[slices.Index(d.way, name):]), name)
		d.r.errorf(n.get(name), "cyclic-type", "the type %s can never end: %s", quote(name), clipWay(loop))
		return
	case 2:
		return
	}
	d.state[name] = 1
	d.way = append(d.way, name)
	t := d.r.m.Types[name]
	if d.follow(t, n) {
		*t = Type{Kind: KindAny}
	}
	d.way = d.way[:len(d.way)-1]
	d.state[name] = 2
}

// follow visits the types that a value of type t must contain. It reports
// whether one of them is still on the way, which closes a loop.
func (d *descent) follow(t *Type, n *node) bool {
	switch {
	case t.Nullable:
	case t.Kind == KindNamed:
		looped := d.state[t.Name] == 1
		d.visit(t.Name, n)
		return looped
	case t.Kind == KindObject:
		for _, f := range t.Fields {
			if !f.Optional && d.follow(f.Type, n) {
				return true
			}
		}
	}
	return false
}

// clipWay spells a loop, its middle left out where it is long.
func clipWay(names []string) string {
	const most = 8
	if len(names) > most {
		names = slices.Concat(names[:most/2], []string{"…"}, names[len(names)-most/2:])
	}
	return strings.Join(names, " → ")
}
