package filter

// place is somewhere in the data that a path goes to or through.
type place struct {
	names   []named
	lengths uint64 // a bit for each length of a name, modulo 64
	items   []item // by rising index

	tests []test // of the value that is there
	bits  uint64 // of tests
	texts bool   // whether one of them compares with a text
}

type named struct {
	name  string
	place *place
}

type item struct {
	index int
	place *place
}

// test is a condition that has been given a bit.
type test struct {
	bit    uint64
	op     operator
	values []literal
}

// jump is one step of the program: where to go on, depending on a condition.
// The places to go to are below the jump, or one of the two ends.
type jump struct {
	condition uint64
	holds     int
	fails     int
}

const (
	accepted = -1
	rejected = -2
)

// compile makes a filter of an expression.
func compile(e *expr) *Filter {
	f := &Filter{text: string(e.append(nil))}
	f.start = f.program(e, accepted, rejected)
	f.shorten(e)
	return f
}

// program adds the jumps of e, which lead to one of two places, and returns
// where they begin. It works from the back, so that these are known.
func (f *Filter) program(e *expr, holds, fails int) int {
	switch e.kind {
	case isNot:
		return f.program(e.args[0], fails, holds)
	case isAnd:
		for k := len(e.args) - 1; k >= 0; k-- {
			holds = f.program(e.args[k], holds, fails)
		}
		return holds
	case isOr:
		for k := len(e.args) - 1; k >= 0; k-- {
			fails = f.program(e.args[k], holds, fails)
		}
		return fails
	}
	e.bit = 1 << len(f.jumps)
	t := test{bit: e.bit, op: e.op, values: e.values}
	if t.holds(&value{kind: nothing}) {
		f.absent |= t.bit
	}
	f.jumps = append(f.jumps, jump{e.bit, holds, fails})
	at := f.at(e.path)
	if at.bits == 0 {
		f.places++
	}
	at.bits |= e.bit
	for _, l := range e.values {
		at.texts = at.texts || l.kind == aText
	}
	at.tests = append(at.tests, t)
	return len(f.jumps) - 1
}

// at is the place that a path leads to.
func (f *Filter) at(path []step) *place {
	at := &f.root
	for _, s := range path {
		at = at.next(s)
	}
	return at
}

func (p *place) next(s step) *place {
	if s.index >= 0 {
		k := 0
		for ; k < len(p.items) && p.items[k].index <= s.index; k++ {
			if p.items[k].index == s.index {
				return p.items[k].place
			}
		}
		next := new(place)
		p.items = append(p.items, item{})
		copy(p.items[k+1:], p.items[k:])
		p.items[k] = item{s.index, next}
		return next
	}
	for _, n := range p.names {
		if n.name == s.name {
			return n.place
		}
	}
	next := new(place)
	p.names = append(p.names, named{s.name, next})
	p.lengths |= 1 << (len(s.name) & 63)
	return next
}

// shorten notes the conditions that decide alone, after which nobody need look
// at the rest of the data: of those joined by && one that fails, and of those
// joined by || one that holds.
func (f *Filter) shorten(e *expr) {
	args := e.args
	if e.kind == isCondition {
		args = []*expr{e}
	}
	for _, arg := range args {
		if arg.kind != isCondition {
			continue
		}
		if e.kind == isAnd || e.kind == isCondition {
			f.needed |= arg.bit
		}
		if e.kind == isOr || e.kind == isCondition {
			f.enough |= arg.bit
		}
	}
}
