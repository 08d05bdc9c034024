package hub

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ekkojs/ipc/wire"
)

// matches is pattern matching written from the text alone: token by token,
// "*" for one, "**" for one or more at the end.
func matches(pattern, name string) bool {
	p, n := strings.Split(pattern, "."), strings.Split(name, ".")
	for i, token := range p {
		if token == "**" {
			return len(n) > i
		}
		if i >= len(n) || token != "*" && token != n[i] {
			return false
		}
	}
	return len(p) == len(n)
}

// entry returns an index with each pattern subscribed by a subscriber of its
// own; patterns that are not valid are nil.
func indexOf(patterns []string) (*index, map[*Subscriber]string, []*subscription) {
	h := New(nil)
	x, owner := &h.index, make(map[*Subscriber]string)
	var subs []*subscription
	for i, pattern := range patterns {
		p, err := wire.ParsePattern(pattern)
		if err != nil {
			continue
		}
		s := h.Attach(nil)
		owner[s] = pattern
		sub := &subscription{id: uint64(i), pattern: pattern, literal: p.IsLiteral(), subscriber: s}
		if err := x.add(sub, 1); err != nil {
			panic(err)
		}
		subs = append(subs, sub)
	}
	return x, owner, subs
}

// checkIndex compares the index with the oracle for one name.
func checkIndex(t tb, x *index, owner map[*Subscriber]string, present []*subscription, name string) {
	t.Helper()
	var want, got []string
	for _, sub := range present {
		if matches(sub.pattern, name) {
			want = append(want, sub.pattern)
		}
	}
	targets, _ := x.match(name, name, true, nil)
	for _, to := range targets {
		got = append(got, owner[to.subscriber])
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Fatalf("%q: matched %q, want %q", name, got, want)
	}
}

func TestIndexAgainstOracle(t *testing.T) {
	token := rapid.SampledFrom([]string{"a", "b", "c", "ab"})
	names := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(token, 1, 5).Draw(t, "tokens"), ".")
	})
	piece := rapid.SampledFrom([]string{"a", "b", "c", "ab", "*", "*"})
	patterns := rapid.Custom(func(t *rapid.T) string {
		tokens := rapid.SliceOfN(piece, 1, 4).Draw(t, "tokens")
		if rapid.Bool().Draw(t, "rest") {
			tokens = append(tokens, "**")
		}
		return strings.Join(tokens, ".")
	})
	rapid.Check(t, func(t *rapid.T) {
		x, owner, subs := indexOf(rapid.SliceOfN(patterns, 0, 30).Draw(t, "patterns"))
		for len(subs) > 0 {
			checkIndex(t, x, owner, subs, names.Draw(t, "name"))
			i := rapid.IntRange(0, len(subs)-1).Draw(t, "remove")
			x.remove(subs[i].subscriber, subscriptionID(subs[i].id))
			subs = slices.Delete(subs, i, i+1)
		}
		if !x.patterns.root.empty() || len(x.literals) != 0 || x.count != 0 {
			t.Fatal("something is left in the empty index")
		}
	})
}

// FuzzIndex reads patterns from lines of text, the last one being the name.
func FuzzIndex(f *testing.F) {
	for _, seed := range []string{
		"a.b\na.b", "a.*\n*.b\n**\na.**\na.b", "a.**\na", "*.*.*.*\na.b.c.d",
		"a.*.c\na.b.*\na.b.c\na.b.c.**\na.b.c", "x.**\nx.*.**\nx.y.z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		name := lines[len(lines)-1]
		if wire.CheckName(name) != nil || len(lines) > 200 {
			return
		}
		x, owner, subs := indexOf(lines[:len(lines)-1])
		checkIndex(t, x, owner, subs, name)
		for _, sub := range subs {
			if p, _ := wire.ParsePattern(sub.pattern); p.Match(name) != matches(sub.pattern, name) {
				t.Errorf("wire says %v of %q and %q", p.Match(name), sub.pattern, name)
			}
		}
		for i := range subs {
			x.remove(subs[i].subscriber, subscriptionID(subs[i].id))
			checkIndex(t, x, owner, subs[i+1:], name)
		}
		if !x.patterns.root.empty() || len(x.literals) != 0 {
			t.Error("something is left in the empty index")
		}
	})
}

// hostilePatterns are the patterns that give the matching of one name of 16
// tokens the most branches, and then others that share as little as they can.
func hostilePatterns(n int) (name string, patterns []string) {
	tokens := slices.Repeat([]string{"a"}, 16)
	name = strings.Join(tokens, ".")
	var choose func(from, stars int)
	choose = func(from, stars int) {
		if len(patterns) == n {
			return
		}
		if stars > 0 {
			patterns = append(patterns, strings.Join(tokens, "."))
		}
		for i := from; i < len(tokens) && stars < 4; i++ {
			tokens[i] = "*"
			choose(i+1, stars+1)
			tokens[i] = "a"
		}
	}
	choose(0, 0)
	for i := len(patterns); i < n; i++ {
		tokens := make([]string, 16)
		for j := range tokens {
			tokens[j] = fmt.Sprintf("%x-%x", i, j)
		}
		tokens[i%16] = "*"
		patterns = append(patterns, strings.Join(tokens, "."))
	}
	return name, patterns
}

func TestR03_HostilePatternsStayCheap(t *testing.T) {
	const n = 16_000
	name, patterns := hostilePatterns(n)
	before := heap()
	h := New(nil)
	var subscribers []*Subscriber
	for i, pattern := range patterns {
		if i%DefaultMaxSubscriptions == 0 {
			subscribers = append(subscribers, h.Attach(nil))
		}
		mustSubscribe(t, subscribers[len(subscribers)-1], pattern)
	}
	used := heap() - before
	t.Logf("%d patterns take %d MiB", n, used>>20)
	if used > 64<<20 {
		t.Error("that is too much")
	}
	h.index.match(name, name, true, nil)
	// Those patterns have all the ways that there are, so that it is exactly
	// as many: the bound is no looser than it must be.
	if met := h.index.patterns.met; met != maxMet {
		t.Errorf("matching met %d nodes, and the worst is %d", met, maxMet)
	}
	runtime.KeepAlive(h)
}

// TestMatchingIsBounded draws patterns and names that are as bad as they can
// be, and counts the steps.
func TestMatchingIsBounded(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "a", "a", "b", "*", "**"})
	patterns := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 1, 16).Draw(t, "tokens"), ".")
	})
	rapid.Check(t, func(t *rapid.T) {
		x, _, subs := indexOf(rapid.SliceOfN(patterns, 0, 300).Draw(t, "patterns"))
		name := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 1, 16).Draw(t, "name"), ".")
		x.match(name, name, true, nil)
		// No pattern adds more nodes than it has tokens.
		if met := x.patterns.met; met > maxMet || met > uint64(16*len(subs)+1) {
			t.Fatalf("%d patterns: matching %s met %d nodes", len(subs), name, met)
		}
	})
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
