package filter

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ekkojs/ipc/wire"
	"pgregory.net/rapid"
)

// draw makes filters and data out of few names and values, so that they meet.
type draw struct {
	t   *rapid.T
	out strings.Builder
}

func (d *draw) intn(n int) int { return rapid.IntRange(0, n-1).Draw(d.t, "n") }

func (d *draw) one(choices ...string) string { return choices[d.intn(len(choices))] }

var names = []string{"a", "b", "c", "long-name_of$field", "odd name", "é", "true", "exists", "", "quote\"d'", "back\\slash", "😀"}

var texts = []string{"", "a", "ab", "abc", "b", "x\ny", `"`, "'", `\`, "é", "中文", "😀", "\ufffd", "a text that is longer than a word of eight bytes", "\x7f", "\u2028"}

var numbers = []string{
	"0", "-0", "0.0", "-0e5", "1", "1.0", "1e0", "10e-1", "-1", "100", "1e2", "0.1", "0.10", "1e-1", "99.99", "99.990", "99.991",
	"9007199254740991", "9007199254740992", "9007199254740993", "9007199254740993.0", "-9007199254740993", "9007199254740992.5",
	"18446744073709551615", "18446744073709551616", "9999999999999999999", "10000000000000000000", "1e19", "1e300", "1.7976931348623157e308",
	"123456789012345", "1234567890123456", "12345678901234567890.123", "0.000000000000001", "0.0000000000000001", "5e-324", "1e400", "1e-400", "1E+2",
}

func (d *draw) path() []step {
	path := []step{}
	for range 1 + d.intn(3) {
		if d.intn(4) == 0 {
			path = append(path, step{index: d.intn(4)})
		} else {
			path = append(path, step{d.one(names[:3+d.intn(len(names)-2)]...), -1})
		}
	}
	return path
}

func (d *draw) literal() literal {
	switch d.intn(6) {
	case 0:
		return literal{kind: []kind{aTrue, aFalse, aNull}[d.intn(3)]}
	case 1, 2, 3:
		return numberLiteral([]byte(d.one(numbers...)))
	}
	return literal{kind: aText, text: []byte(d.one(texts...))}
}

func (d *draw) condition() *expr {
	e := &expr{}
	e.path, e.op = d.path(), operator(d.intn(int(opContains)+1))
	switch {
	case e.op == opIn:
		for range d.intn(4) {
			e.values = append(e.values, d.literal())
		}
	case e.op > opExists:
		l := d.literal()
		for e.op.ofTexts() && l.kind != aText || e.op.hasOrder() && l.kind != aText && l.kind != aNumber {
			l = d.literal()
		}
		e.values = []literal{l}
	}
	return e
}

// expr draws a tree in which nothing is within its own kind, as parse makes it.
func (d *draw) expr(depth int, not exprKind) *expr {
	kind := exprKind(d.intn(4))
	if depth == 0 || kind == isCondition || kind == not {
		return d.condition()
	}
	e := &expr{kind: kind}
	if kind == isNot {
		e.args = []*expr{d.expr(depth-1, isCondition)}
		return e
	}
	for range 2 + d.intn(2) {
		e.args = append(e.args, d.expr(depth-1, kind))
	}
	return e
}

func (d *draw) space() { d.out.WriteString(d.one("", "", " ", "\t\n ", "  ")) }

// write writes a filter in one of its spellings.
func (d *draw) write(e *expr, parentheses bool) {
	d.space()
	if parentheses = parentheses || d.intn(5) == 0; parentheses {
		d.out.WriteByte('(')
	}
	switch e.kind {
	case isNot:
		d.out.WriteByte('!')
		arg := e.args[0]
		d.write(arg, arg.kind == isAnd || arg.kind == isOr || arg.isComparison())
	case isAnd, isOr:
		for k, arg := range e.args {
			if k > 0 {
				d.out.WriteString(map[exprKind]string{isAnd: "&&", isOr: "||"}[e.kind])
			}
			d.write(arg, e.kind == isAnd && arg.kind == isOr)
		}
	default:
		d.writeCondition(&e.condition)
	}
	d.space()
	if parentheses {
		d.out.WriteByte(')')
		d.space()
	}
}

func (d *draw) writeCondition(c *condition) {
	if c.op == opExists {
		d.out.WriteString(d.one("exists(", "exists (", "exists( "))
		d.writePath(c.path)
		d.space()
		d.out.WriteByte(')')
		return
	}
	d.writePath(c.path)
	if c.op == opTrue {
		return
	}
	d.out.WriteString(" " + spellings[c.op])
	d.space()
	if c.op != opIn {
		d.writeLiteral(&c.values[0])
		return
	}
	d.out.WriteByte('[')
	for k := range c.values {
		if k > 0 {
			d.out.WriteByte(',')
		}
		d.space()
		d.writeLiteral(&c.values[k])
		d.space()
	}
	d.out.WriteByte(']')
}

func (d *draw) writePath(path []step) {
	for k, s := range path {
		switch {
		case s.index >= 0:
			fmt.Fprintf(&d.out, "%s%d%s]", d.one("[", "[ "), s.index, d.one("", " "))
		case !isName(s.name) || k == 0 && isTaken(s.name) || d.intn(4) == 0:
			d.out.WriteString(d.one("[", "[ "))
			d.writeText(s.name, d.intn(2) == 0)
			d.out.WriteString(d.one("]", " ]"))
		case k == 0:
			d.out.WriteString(s.name)
		default:
			d.out.WriteString("." + s.name)
		}
	}
}

func (d *draw) writeLiteral(l *literal) {
	if l.kind == aText {
		d.writeText(string(l.text), d.intn(2) == 0)
	} else {
		d.out.Write(l.append(nil))
	}
}

// writeText writes a text, some of its characters as escapes.
func (d *draw) writeText(text string, single bool) {
	quote := '"'
	if single {
		quote = '\''
	}
	d.out.WriteRune(quote)
	for _, r := range text {
		switch {
		case r < ' ' || r == quote || r == '\\' || d.intn(10) == 0:
			if r == '"' && d.intn(2) == 0 || r == '\\' {
				d.out.WriteString(`\` + string(r))
				continue
			}
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&d.out, d.one(`\u%04x`, `\u%04X`), unit)
			}
		default:
			d.out.WriteRune(r)
		}
	}
	d.out.WriteRune(quote)
}

// json writes data.
func (d *draw) json(depth int) {
	d.space()
	switch n := d.intn(8); {
	case n < 3 && depth > 0:
		d.object(depth)
	case n == 3 && depth > 0:
		d.out.WriteByte('[')
		for k := range d.intn(4) {
			if k > 0 {
				d.out.WriteByte(',')
			}
			d.json(depth - 1)
		}
		d.out.WriteByte(']')
	case n < 6:
		l := d.literal()
		if l.kind == aText {
			d.writeText(string(l.text), false)
		} else {
			d.out.Write(l.append(nil))
		}
	default:
		d.out.WriteString(d.one(numbers...))
	}
	d.space()
}

func (d *draw) object(depth int) {
	d.out.WriteByte('{')
	first := true
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 5, rapid.ID).Draw(d.t, "names") {
		if !first {
			d.out.WriteByte(',')
		}
		first = false
		d.space()
		d.writeText(name, false)
		d.space()
		d.out.WriteByte(':')
		d.json(depth - 1)
	}
	d.space()
	d.out.WriteByte('}')
}

// TestLikeNaive: however a filter is written it is read as what it is, and it
// matches what the plainest evaluation says.
func TestLikeNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &draw{t: t}
		e := d.expr(3, isCondition)
		d.write(e, false)
		text := d.out.String()
		f, err := Parse(text)
		if err != nil {
			if len(text) <= MaxText && wire.CodeOf(err) == wire.CodeInvalidArgument && strings.Contains(err.Error(), "more than 64 conditions") {
				return
			}
			if len(text) > MaxText {
				return
			}
			t.Fatalf("%s: %v", text, err)
		}
		if want := string(e.append(nil)); f.String() != want {
			t.Fatalf("%s\nis read as %s\nwant       %s", text, f, want)
		}
		for range 10 {
			d.out.Reset()
			d.object(3)
			checkMatch(t, e, f, []byte(d.out.String()))
		}
		d.out.Reset()
		d.json(2)
		checkMatch(t, e, f, []byte(d.out.String()))
	})
}
