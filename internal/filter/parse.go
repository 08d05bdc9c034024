package filter

import (
	"strings"
	"unicode/utf8"

	"github.com/ekkojs/ipc/wire"
)

// parser reads a filter from front to back. Its methods read what their name
// says from at on, and leave at after it.
type parser struct {
	text  string
	at    int
	nodes int
	depth int
}

// parse is the expression that text says.
func parse(text string) (*expr, error) {
	p := &parser{text: text}
	if len(text) > MaxText {
		return nil, wire.Errorf(wire.CodeInvalidArgument, "filter: %d bytes, and %d are allowed", len(text), MaxText)
	}
	if !utf8.ValidString(text) {
		return nil, wire.Errorf(wire.CodeInvalidArgument, "filter: the text is not UTF-8")
	}
	e, err := p.either()
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(text) {
		return nil, p.expected("&&, || or the end")
	}
	return e, nil
}

// either reads what is joined by ||.
func (p *parser) either() (*expr, error) { return p.joined("||", isOr, p.all) }

// all reads what is joined by &&.
func (p *parser) all() (*expr, error) {
	return p.joined("&&", isAnd, func() (*expr, error) { return p.unary(false) })
}

// joined reads what an operator joins. It makes one node of it all, however it
// was put in parentheses.
func (p *parser) joined(operator string, kind exprKind, read func() (*expr, error)) (*expr, error) {
	first, err := read()
	if err != nil {
		return nil, err
	}
	e := &expr{kind: kind}
	e.adopt(first)
	for p.take(operator) {
		if err := p.count(); err != nil {
			return nil, err
		}
		next, err := read()
		if err != nil {
			return nil, err
		}
		e.adopt(next)
	}
	if e.args[0] == first && len(e.args) == 1 {
		return first, nil
	}
	return e, nil
}

// adopt takes arg, or what it joins in the same way.
func (e *expr) adopt(arg *expr) {
	if arg.kind == e.kind {
		e.args = append(e.args, arg.args...)
	} else {
		e.args = append(e.args, arg)
	}
}

// unary reads what stands between && and ||; negated says that a ! is before it.
func (p *parser) unary(negated bool) (*expr, error) {
	p.space()
	switch p.next() {
	case '(':
		if err := p.enter(); err != nil {
			return nil, err
		}
		e, err := p.either()
		if err != nil {
			return nil, err
		}
		if !p.take(")") {
			return nil, p.expected("&&, || or )")
		}
		p.depth--
		return e, nil
	case '!':
		if err := p.enter(); err != nil {
			return nil, err
		}
		if err := p.count(); err != nil {
			return nil, err
		}
		arg, err := p.unary(true)
		if err != nil {
			return nil, err
		}
		p.depth--
		return &expr{kind: isNot, args: []*expr{arg}}, nil
	}
	return p.condition(negated)
}

// enter goes past a parenthesis or !, one level down.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return p.failf(p.at, "more than %d levels of parentheses and !", maxDepth)
	}
	p.at++
	return nil
}

func (p *parser) count() error {
	if p.nodes++; p.nodes > maxNodes {
		return p.failf(p.at, "more than %d conditions and operators", maxNodes)
	}
	return nil
}

func (p *parser) condition(negated bool) (*expr, error) {
	if err := p.count(); err != nil {
		return nil, err
	}
	if e, err := p.exists(); e != nil || err != nil {
		return e, err
	}
	e := &expr{}
	var err error
	if e.path, err = p.path(); err != nil {
		return nil, err
	}
	p.space()
	at := p.at
	if e.op, err = p.operator(e.path); err != nil || e.op == opTrue {
		return e, err
	}
	if negated {
		return nil, p.failf(at, "expected && or || after a field with !: what ! is about needs parentheses, as in !(%s %s …)",
			appendPath(nil, e.path), spellings[e.op])
	}
	e.values, err = p.operand(e.op)
	return e, err
}

// exists reads exists(path), and nil if that is not what comes.
func (p *parser) exists() (*expr, error) {
	start := p.at
	if p.word() != "exists" || !p.take("(") {
		p.at = start
		return nil, nil
	}
	p.space()
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, p.expected(")")
	}
	return &expr{condition: condition{path: path, op: opExists}}, nil
}

// operator reads the operator that follows a field; it is opTrue where the
// condition ends.
func (p *parser) operator(field []step) (operator, error) {
	start := p.at
	found := p.word()
	if found == "" {
		found = p.signs()
	}
	for op := opEqual; int(op) < len(spellings); op++ {
		if spellings[op] == found {
			return op, nil
		}
	}
	p.at = start
	if found == "&&" || found == "||" || p.next() == ')' || p.at == len(p.text) {
		return opTrue, nil
	}
	if len(field) == 1 && strings.EqualFold(field[0].name, "not") && field[0].index < 0 {
		return opTrue, p.failf(p.at, `expected an operator, found %s: did you mean "!" for "not"?`, p.found())
	}
	return opTrue, p.expected("an operator, && or ||")
}

// operand reads what an operator compares with.
func (p *parser) operand(op operator) ([]literal, error) {
	if op == opIn {
		return p.list()
	}
	p.space()
	start := p.at
	v, err := p.literal()
	switch {
	case err != nil:
		return nil, err
	case op.ofTexts() && v.kind != aText:
		return nil, p.failf(start, "expected a text after %s, found %s", spellings[op], v.append(nil))
	case op.hasOrder() && v.kind != aText && v.kind != aNumber:
		return nil, p.failf(start, "expected a number or a text after %s, found %s", spellings[op], v.append(nil))
	}
	return []literal{v}, nil
}

func (p *parser) list() ([]literal, error) {
	values := []literal{}
	if !p.take("[") {
		return nil, p.expected("[ after in")
	}
	if p.take("]") {
		return values, nil
	}
	for {
		p.space()
		if len(values) == maxValues {
			return nil, p.failf(p.at, "more than %d values in a list", maxValues)
		}
		v, err := p.literal()
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		switch {
		case p.take("]"):
			return values, nil
		case !p.take(","):
			return nil, p.expected(", or ]")
		}
	}
}
