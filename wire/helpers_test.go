package wire

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// manyMembers returns n members with distinct names, without the braces.
func manyMembers(n int) string {
	var b strings.Builder
	for k := range n {
		if k > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"member%d":%d`, k, k)
	}
	return b.String()
}

// generator writes random JSON with, now and then, a fault in it.
type generator struct {
	rnd   *rand.Rand
	out   strings.Builder
	fault int // one in so many tokens is wrong; 0: none
}

func newGenerator(seed uint64, fault int) *generator {
	return &generator{rnd: rand.New(rand.NewPCG(seed, 1)), fault: fault}
}

func (g *generator) wrong() bool { return g.fault > 0 && g.rnd.IntN(g.fault) == 0 }

func (g *generator) pick(choices ...string) {
	g.out.WriteString(choices[g.rnd.IntN(len(choices))])
}

func (g *generator) space() {
	if g.rnd.IntN(6) == 0 {
		g.pick(" ", "\n", "\t\r", "        ")
	}
	if g.wrong() {
		g.pick(",", ":", "]", "}", "\x00", "\f", "\xa0", "//")
	}
}

// value writes a value with at most depth levels in it.
func (g *generator) value(depth int) {
	g.space()
	switch n := g.rnd.IntN(10); {
	case n < 2 && depth > 0:
		g.array(depth)
	case n < 5 && depth > 0:
		g.object(depth)
	case n < 7:
		g.text()
	default:
		g.pick("0", "-0", "12", "-1.5e+10", "1E9", "0.25", "true", "false", "null")
		if g.wrong() {
			g.pick("0", ".", "e", "x", "-")
		}
	}
	g.space()
}

func (g *generator) array(depth int) {
	g.out.WriteByte('[')
	for k := range g.rnd.IntN(4) {
		if k > 0 {
			g.out.WriteByte(',')
		}
		g.value(depth - 1)
	}
	g.out.WriteByte(']')
}

// object writes an object that is sometimes large, so that it comes with or
// without a table of names, within and around others that do.
func (g *generator) object(depth int) {
	g.out.WriteByte('{')
	n := g.rnd.IntN(5)
	if g.rnd.IntN(8) == 0 {
		n = 10 + g.rnd.IntN(60)
	}
	for k := range n {
		if k > 0 {
			g.out.WriteByte(',')
		}
		if g.wrong() && k > 0 {
			k = g.rnd.IntN(k) // a name twice
		}
		g.space()
		g.name(k)
		g.space()
		g.out.WriteByte(':')
		if n < 10 || g.rnd.IntN(10) == 0 {
			g.value(depth - 1)
		} else {
			g.out.WriteByte('1')
		}
	}
	g.out.WriteByte('}')
}

// name writes the k-th name of an object in one of its spellings.
func (g *generator) name(k int) {
	switch g.rnd.IntN(4) {
	case 0:
		fmt.Fprintf(&g.out, `"\u006e%d"`, k)
	case 1:
		fmt.Fprintf(&g.out, `"\u006E%d"`, k)
	default:
		fmt.Fprintf(&g.out, `"n%d"`, k)
	}
}

func (g *generator) text() {
	g.out.WriteByte('"')
	for range g.rnd.IntN(6) {
		g.pick("a", "plain text", "é", "中文", "😀", `\n`, `\"`, `\\`, `\/`, `\u00e9`, `\ud83d\ude00`, "\u2028", "\x7f", "01234567")
		if g.wrong() {
			g.pick("\x00", "\n", `\x`, `\u12`, `\ud800`, `\udc00`, "\xff", "\xc0\x80", "\xed\xa0\x80", "\xe4\xb8", `"`)
		}
	}
	g.out.WriteByte('"')
}

func (g *generator) String() string { return g.out.String() }
