package hub

import "strings"

// The tokens of a pattern that stand for others.
const (
	anyToken  = "*"
	anyTokens = "**"
)

// trie holds the patterns that are not literal, token by token.
type trie struct {
	root node
	met  uint64 // nodes, by all collecting so far; see maxMet
}

// maxMet is how many nodes one collecting meets at most, whatever the patterns
// are and however many: as many as there are ways to put up to four "*" into
// the beginning of a name of 16 tokens that has 0 to 15 of them.
const maxMet = 6884

// node is where the patterns with one beginning go on. There may be hundreds
// of thousands and most have a single child, so that child is kept without a
// map.
type node struct {
	token    string // of child
	child    *node
	children map[string]*node // the others

	star *node   // where "*" goes on
	here *bucket // patterns that end here
	rest *bucket // patterns that end in "**" here
}

// cut splits off the first token. more is false when it was the last one.
func cut(name string) (token, rest string, more bool) { return strings.Cut(name, ".") }

// bucket returns the place of a pattern's subscriptions, which it makes if it
// has to.
func (t *trie) bucket(pattern string) *bucket {
	n := &t.root
	for more := true; more; {
		var token string
		if token, pattern, more = cut(pattern); token == anyTokens {
			return made(&n.rest)
		}
		n = n.step(token, true)
	}
	return made(&n.here)
}

func made(b **bucket) *bucket {
	if *b == nil {
		*b = new(bucket)
	}
	return *b
}

// step returns the node that follows n by a token of a pattern.
func (n *node) step(token string, create bool) *node {
	switch {
	case token == anyToken:
		if n.star == nil && create {
			n.star = new(node)
		}
		return n.star
	case n.child != nil && n.token == token:
		return n.child
	}
	next := n.children[token]
	if next != nil || !create {
		return next
	}
	next = new(node)
	switch {
	case n.child == nil:
		n.token, n.child = token, next
	case n.children == nil:
		n.children = map[string]*node{token: next}
	default:
		n.children[token] = next
	}
	return next
}

// drop undoes step.
func (n *node) drop(token string) {
	switch {
	case token == anyToken:
		n.star = nil
	case n.child != nil && n.token == token:
		n.token, n.child = "", nil
	default:
		if delete(n.children, token); len(n.children) == 0 {
			n.children = nil
		}
	}
}

func (n *node) empty() bool {
	return n.child == nil && n.children == nil && n.star == nil && n.here == nil && n.rest == nil
}

// remove takes sub out, and the nodes that only it needed.
func (t *trie) remove(sub *subscription) {
	type hop struct {
		from  *node
		token string
	}
	var hops [16]hop // patterns have no more tokens
	way := hops[:0]
	n, bucket := &t.root, (**bucket)(nil)
	for pattern, more := sub.pattern, true; more; {
		var token string
		if token, pattern, more = cut(pattern); token == anyTokens {
			bucket = &n.rest
			break
		}
		way = append(way, hop{n, token})
		n = n.step(token, false)
		bucket = &n.here
	}
	if (*bucket).remove(sub) {
		*bucket = nil
	}
	for i := len(way) - 1; i >= 0 && n.empty(); i-- {
		n = way[i].from
		n.drop(way[i].token)
	}
}

// collect appends the subscribers of the patterns that match name. It keeps
// the branches still to be walked in a list of its own instead of recursing:
// what peers subscribe to must not decide how deep our stack gets.
func (t *trie) collect(name string, into []target, round uint64) []target {
	type branch struct {
		n    *node
		rest string // of the name
	}
	var array [32]branch
	todo := append(array[:0], branch{&t.root, name})
	for len(todo) > 0 {
		b := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		t.met++
		into = b.n.rest.collect(into, round)
		token, rest, more := cut(b.rest)
		for _, next := range [2]*node{b.n.star, b.n.step(token, false)} {
			switch {
			case next == nil:
			case more:
				todo = append(todo, branch{next, rest})
			default:
				into = next.here.collect(into, round)
			}
		}
	}
	return into
}
