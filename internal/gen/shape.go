package gen

import "slices"

// kind tells the shapes apart.
type kind uint8

const (
	anyKind kind = iota // whatever JSON has
	neverKind
	stringKind
	numberKind
	integerKind
	booleanKind
	nullKind
	literalKind // one value
	objectKind
	arrayKind
	tupleKind
	refKind
	unionKind // one of several
	allKind   // several at once
)

// shape is what a value can look like. Shapes are trees: none is part of two
// others, so that one can be changed in its place.
type shape struct {
	kind kind

	literal string   // JSON text of a literalKind: a string, a number or a boolean
	members []member // of an objectKind
	rest    *shape   // of its other members; nil: they may be there, and nothing is said of them
	elem    *shape   // each element of an arrayKind; those of a tupleKind after the last of parts, nil: there are none
	parts   []*shape // of a tupleKind, unionKind or allKind
	least   int      // how many elements of a tupleKind must be there
	ref     *named

	// remark says why nothing more is known of the value.
	remark string
	notes
}

// notes are for people.
type notes struct {
	description string
	deprecated  bool
	asks        []string // what a type cannot say: "minimum 1"
}

// member is a declared member of an object.
type member struct {
	name     string
	shape    *shape
	optional bool
}

// named is a shape that others refer to.
type named struct {
	name string // as in the manifest; Owner$part for what lies within a schema
	shape
}

func of(k kind) *shape { return &shape{kind: k} }

func arrayOf(elem *shape) *shape { return &shape{kind: arrayKind, elem: elem} }

func refTo(n *named) *shape { return &shape{kind: refKind, ref: n} }

// unknown is any, and why.
func unknown(why string) *shape { return &shape{kind: anyKind, remark: why} }

func (s *shape) isFreeObject() bool {
	return s.kind == objectKind && len(s.members) == 0 && s.rest == nil
}

// oneOf is the union of shapes: without what is there twice, and of what is
// left when there is but one.
func oneOf(parts ...*shape) *shape {
	var kept []*shape
	for _, p := range parts {
		switch {
		case p.kind == neverKind:
		case p.kind == anyKind:
			return p
		case p.kind == unionKind:
			kept = append(kept, p.parts...)
		default:
			kept = append(kept, p)
		}
	}
	kept = distinct(kept)
	switch len(kept) {
	case 0:
		return of(neverKind)
	case 1:
		return kept[0]
	}
	return &shape{kind: unionKind, parts: kept}
}

// distinct leaves out scalars and references that are there already.
func distinct(parts []*shape) (kept []*shape) {
	type face struct {
		kind    kind
		literal string
		ref     *named
	}
	seen := map[face]bool{}
	for _, p := range parts {
		f := face{p.kind, p.literal, p.ref}
		if isScalar(p.kind) || p.kind == literalKind || p.kind == refKind {
			if seen[f] {
				continue
			}
			seen[f] = true
		}
		kept = append(kept, p)
	}
	return kept
}

func orNull(s *shape) *shape { return oneOf(s, of(nullKind)) }

// withoutNull takes null out of a union.
func (s *shape) withoutNull() (rest *shape, nullable bool) {
	if s.kind != unionKind {
		return s, s.kind == nullKind
	}
	kept := slices.DeleteFunc(slices.Clone(s.parts), func(p *shape) bool { return p.kind == nullKind })
	if len(kept) == len(s.parts) {
		return s, false
	}
	rest = oneOf(kept...)
	return rest, true
}

func isScalar(k kind) bool {
	return k == stringKind || k == numberKind || k == integerKind || k == booleanKind || k == nullKind
}

// allOf is what all the shapes say together.
func allOf(parts ...*shape) *shape {
	all := of(anyKind)
	for _, p := range parts {
		all = both(all, p)
	}
	return all
}

// both is what two shapes say together. What one of them asks besides is kept.
func both(a, b *shape) *shape {
	s := meet(a, b)
	if s != a {
		s.asks = append(slices.Clone(a.asks), s.asks...)
	}
	if s != b {
		s.asks = append(s.asks, b.asks...)
	}
	s.remark = firstOf(s.remark, a.remark, b.remark)
	s.asks = slices.Compact(s.asks)
	return s
}

func meet(a, b *shape) *shape {
	switch {
	case a.kind == anyKind || b.kind == neverKind:
		return b
	case b.kind == anyKind || a.kind == neverKind:
		return a
	case a.kind == b.kind && isScalar(a.kind):
		return a
	case a.kind == numberKind && b.kind == integerKind, b.isFreeObject() && a.kind == objectKind:
		return pick(a, b)
	case a.kind == integerKind && b.kind == numberKind, a.isFreeObject() && b.kind == objectKind:
		return pick(b, a)
	case a.kind == arrayKind && a.elem.kind == anyKind && (b.kind == arrayKind || b.kind == tupleKind):
		return b
	case b.kind == arrayKind && b.elem.kind == anyKind && (a.kind == arrayKind || a.kind == tupleKind):
		return a
	case a.kind == unionKind && allLiterals(a) && narrows(b.kind):
		return fitting(a.parts, b)
	case b.kind == unionKind && allLiterals(b) && narrows(a.kind):
		return fitting(b.parts, a)
	case a.kind == literalKind && narrows(b.kind):
		return fitting([]*shape{a}, b)
	case b.kind == literalKind && narrows(a.kind):
		return fitting([]*shape{b}, a)
	}
	return &shape{kind: allKind, parts: append(split(a), split(b)...)}
}

// pick is the narrower of two shapes: that which is no number, and no object
// of which nothing is said.
func pick(wide, narrow *shape) *shape {
	if wide.kind == objectKind && !wide.isFreeObject() {
		return wide
	}
	return narrow
}

func split(s *shape) []*shape {
	if s.kind == allKind {
		return s.parts
	}
	return []*shape{s}
}

func narrows(k kind) bool { return isScalar(k) || k == literalKind }

func allLiterals(s *shape) bool {
	return !slices.ContainsFunc(s.parts, func(p *shape) bool { return p.kind != literalKind && p.kind != nullKind })
}

// fitting is the union of those literals that fit s.
func fitting(literals []*shape, s *shape) *shape {
	var kept []*shape
	for _, l := range literals {
		if l.fits(s) {
			kept = append(kept, l)
		}
	}
	return oneOf(kept...)
}

// fits reports whether a literal, or null, fits a scalar or another literal.
func (s *shape) fits(other *shape) bool {
	if other.kind == literalKind || s.kind == nullKind {
		return s.kind == other.kind && s.literal == other.literal
	}
	switch s.literal[0] {
	case '"':
		return other.kind == stringKind
	case 't', 'f':
		return other.kind == booleanKind
	}
	return other.kind == numberKind || other.kind == integerKind
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
