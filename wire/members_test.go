package wire

import (
	"fmt"
	"strings"
	"testing"
)

// The table of names is empty after each text, also after one that broke off:
// the next text must not meet names of this one.
func TestMembersLeaveNothingBehind(t *testing.T) {
	for seed := range uint64(2000) {
		g := newGenerator(seed, int(seed%2)*100)
		g.object(6)
		s := newScanner([]byte(g.String()), nil)
		whole := s.value(s.space(0)) >= 0
		if whole && (s.members.used != 0 || len(s.members.spans) != 0) {
			t.Fatalf("seed %d: %d names in the table, %d in all", seed, s.members.used, len(s.members.spans))
		}
		s.members.reset()
		for slot, k := range s.members.table {
			if k != 0 {
				t.Fatalf("seed %d: slot %d holds %d", seed, slot, k)
			}
		}
	}
}

// Names are looked up, not compared each with each, and neither many names in
// one object nor the same names in objects within each other pile up in the
// table. Steps are counted, since time on a busy machine shows nothing.
func TestJ02_NamesDoNotPileUp(t *testing.T) {
	limits := &Limits{MaxMembers: ceilingMembers, MaxTokens: ceilingTokens, MaxDepth: ceilingDepth}
	for what, open := range map[string]string{ // cut off, so that the names are still there
		"one object":           "{" + manyMembers(ceilingMembers),
		"the same names again": strings.Repeat("{"+manyMembers(200)+`,"in":`, ceilingDepth),
		"short names":          strings.Repeat("{"+shortMembers(250)+`,"in":`, ceilingDepth),
	} {
		s := newScanner([]byte(open), limits)
		s.value(0)
		m := &s.members
		if s.fault.code != CodeMalformedMessage || m.used != len(m.spans) || m.used < 50_000 {
			t.Fatalf("%s: %+v with %d of %d names in the table", what, s.fault, m.used, len(m.spans))
		}
		steps := 0
		for depth, object := range s.containers {
			end := uint32(len(m.spans))
			if depth+1 < len(s.containers) {
				end = s.containers[depth+1].base
			}
			for k := object.base; k < end; k++ {
				slot := m.slot(s.buf, object.base, k)
				for ; m.table[slot] != k+1; steps++ {
					slot = (slot + 1) & (len(m.table) - 1)
				}
			}
		}
		if steps > 2*m.used {
			t.Errorf("%s: %d steps for %d names", what, steps, m.used)
		}
	}
}

// shortMembers returns n members whose names are one character each.
func shortMembers(n int) string {
	var b strings.Builder
	for k := range n {
		if k > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%c":0`, 0x100+k)
	}
	return b.String()
}
