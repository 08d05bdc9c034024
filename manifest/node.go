package manifest

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// node is one value of the text, with its place.
type node struct {
	kind       jsontext.Kind
	start, end int    // bytes of the text
	text       string // a string's value, a number's digits
	members    []member
	elems      []*node

	parent *node
	key    string // its name or index in parent
}

// member is one name and value of an object.
type member struct {
	name  string
	at    int // where the name starts
	value *node
}

// get is the value of that name, nil if there is none.
func (n *node) get(name string) *node {
	for i := range n.members {
		if n.members[i].name == name {
			return n.members[i].value
		}
	}
	return nil
}

// pointer is the JSON pointer of the node.
func (n *node) pointer() string {
	if n.parent == nil {
		return ""
	}
	return n.parent.pointer() + "/" + escapePointer(n.key)
}

// find is the deepest node on the way along the tokens of a pointer.
func (n *node) find(tokens []string) *node {
	for _, t := range tokens {
		var child *node
		if n.kind == '[' {
			if i, err := strconv.Atoi(t); err == nil && i >= 0 && i < len(n.elems) {
				child = n.elems[i]
			}
		} else {
			child = n.get(t)
		}
		if child == nil {
			break
		}
		n = child
	}
	return n
}

// objects is the number of objects that the value is made of.
func (n *node) objects() int {
	count := 0
	if n.kind == '{' {
		count = 1
	}
	for _, m := range n.members {
		count += m.value.objects()
	}
	for _, e := range n.elems {
		count += e.objects()
	}
	return count
}

// called names a kind for a message.
func called(k jsontext.Kind) string {
	switch k {
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "a boolean"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "null"
}
