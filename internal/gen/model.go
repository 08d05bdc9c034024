package gen

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ekkojs/ipc/manifest"
)

// model is a manifest with shapes in the place of types.
type model struct {
	manifest *manifest.Manifest
	methods  []*method // by name, as the events
	events   []*event

	types []*named          // the manifest's by name, then what lies within its schemas
	named map[string]*named // the manifest's types
	taken map[string]bool   // the names of types
}

type method struct {
	*manifest.Method
	parameters []parameter
	result     *shape // of each item, if it streams them
	items      *shape // of what the caller streams
}

type parameter struct {
	*manifest.Parameter
	shape *shape
}

type event struct {
	*manifest.Event
	data *shape
	open bool // clients may publish it
}

func newModel(m *manifest.Manifest) *model {
	out := &model{manifest: m, named: map[string]*named{}, taken: map[string]bool{}}
	names := slices.Sorted(maps.Keys(m.Types))
	for _, name := range names {
		out.named[name] = out.define(name)
	}
	for _, name := range names {
		n := out.named[name]
		n.shape = *out.shape(m.Types[name], name, n)
	}
	for _, name := range m.MethodNames() {
		out.methods = append(out.methods, out.method(m.Methods[name]))
	}
	for _, name := range m.EventNames() {
		e := m.Events[name]
		out.events = append(out.events, &event{e, out.shape(e.Type, name, nil), m.ClientsMayPublish(name)})
	}
	out.breakCycles()
	return out
}

func (m *model) method(mt *manifest.Method) *method {
	out := &method{Method: mt, result: of(anyKind), items: m.shape(mt.Items, mt.Name, nil)}
	for _, p := range mt.Parameters {
		out.parameters = append(out.parameters, parameter{p, m.parameter(p, mt.Name+"."+p.Name)})
	}
	if mt.Returns != nil {
		out.result = m.shape(mt.Returns.Type, mt.Name, nil)
	}
	return out
}

// parameter is what an argument can look like. A validation counts where it
// says which values there are; what else it asks is told beside the type.
func (m *model) parameter(p *manifest.Parameter, owner string) *shape {
	s := m.shape(p.Type, owner, nil)
	if p.Validation == nil {
		return s
	}
	v := m.schema(p.Validation, owner, nil)
	bare, nullable := s.withoutNull()
	narrow := both(bare, v)
	if nullable && s.kind == unionKind {
		narrow = orNull(narrow)
	}
	return narrow
}

// streams reports whether many values come from the service.
func (mt *method) streams() bool {
	return mt.Stream == manifest.StreamServer || mt.Stream == manifest.StreamBoth
}

// reads reports whether many values go to the service.
func (mt *method) reads() bool {
	return mt.Stream == manifest.StreamClient || mt.Stream == manifest.StreamBoth
}

// carried are the events that travel on a channel, by name.
func (m *model) carried(c *manifest.Channel) (names []string) {
	for _, e := range m.events {
		if m.manifest.ChannelOf(e.Name) == c {
			names = append(names, e.Name)
		}
	}
	return names
}

// keeps reports whether what is published on a channel is kept, so that who
// publishes has a receipt.
func keeps(c *manifest.Channel) bool {
	return c != nil && (c.Persistent || c.Retention != nil || c.IsQueue())
}

// define makes a type of that name, or of one like it if it is taken.
func (m *model) define(name string) *named {
	name = strings.Map(func(r rune) rune {
		if r == '$' || isLetter(r) || '0' <= r && r <= '9' {
			return r
		}
		return '_'
	}, name)
	if name[0] >= '0' && name[0] <= '9' { // what lies within the schema of a method called so
		name = "_" + name
	}
	n := &named{name: unique(name, m.taken), shape: *of(anyKind)}
	m.types = append(m.types, n)
	return n
}

// unique notes a name as taken, with a number behind it where it was already.
func unique(name string, taken map[string]bool) string {
	out := name
	for i := 2; taken[out]; i++ {
		out = name + strconv.Itoa(i)
	}
	taken[out] = true
	return out
}

// shape is what values of a type look like. owner names what lies within its
// schemas; self is the type if that is all of what has a name.
func (m *model) shape(t *manifest.Type, owner string, self *named) *shape {
	if t == nil {
		return of(anyKind)
	}
	s := m.bare(t, owner, self)
	if t.Schema != nil && t.Kind != manifest.KindSchema {
		s = both(s, m.schema(t.Schema, owner, nil))
	}
	if t.Nullable {
		s = orNull(s)
	}
	return s
}

// bare is shape without regard to null.
func (m *model) bare(t *manifest.Type, owner string, self *named) *shape {
	switch t.Kind {
	case manifest.KindString:
		return of(stringKind)
	case manifest.KindNumber:
		return of(numberKind)
	case manifest.KindInteger:
		return of(integerKind)
	case manifest.KindBoolean:
		return of(booleanKind)
	case manifest.KindNull:
		return of(nullKind)
	case manifest.KindArray:
		return arrayOf(m.shape(t.Elem, owner, nil))
	case manifest.KindNamed:
		return refTo(m.named[t.Name])
	case manifest.KindSchema:
		return m.schema(t.Schema, owner, self)
	case manifest.KindObject:
		return m.object(t, owner)
	}
	return of(anyKind)
}

func (m *model) object(t *manifest.Type, owner string) *shape {
	s := of(objectKind)
	for _, f := range t.Fields {
		fs := m.shape(f.Type, owner+"."+f.Name, nil)
		if f.Optional {
			fs = orNull(fs)
		}
		s.members = append(s.members, member{f.Name, fs, f.Optional})
	}
	return s
}

func (m *model) schema(text []byte, owner string, self *named) *shape {
	root := parse(text)
	r := &schema{model: m, owner: owner, root: root, self: self, defined: map[string]*named{}}
	return r.read(root)
}

// breakCycles puts any in the place of a type that is nothing but itself: what
// a schema says so is of no use, but a manifest may say it.
func (m *model) breakCycles() {
	const onTheWay, done = 1, 2
	state := map[*named]int{}
	var follow func(s *shape)
	follow = func(s *shape) {
		switch s.kind {
		case unionKind, allKind:
			for _, p := range s.parts {
				follow(p)
			}
		case refKind:
			n := s.ref
			switch state[n] {
			case onTheWay:
				*s = *unknown(n.name + " leads back to itself")
			case 0:
				state[n] = onTheWay
				follow(&n.shape)
				state[n] = done
			}
		}
	}
	for _, n := range m.types {
		if state[n] == 0 {
			state[n] = onTheWay
			follow(&n.shape)
			state[n] = done
		}
	}
}

func isLetter(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' && r < 0x80 || r == '_' }
