package wire

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync/atomic"

	"github.com/ekkojs/ipc/internal/plain"
)

// An outline is what values have in common that come from one piece of code,
// one after the other: all but the strings, numbers and words in them, which
// are its scalars. A value that is written like one that was read before needs
// a look at its scalars only; names, nesting and commas are compared in one
// piece for each.
type outline struct {
	parts   []string // the text before, between and behind the scalars
	tokens  int      // values and member names
	depth   int      // objects and arrays within each other
	members int      // of its largest object
}

// What is larger has no outline: it would be kept for a long time, and the
// time that it saves is little beside what it takes to read it.
const (
	outlineScalars = 32
	outlineText    = 1 << 10
	outlineDepth   = 8

	// outlineFrom is how long a value has to be for one to pay.
	outlineFrom = 24
)

// outlines are those that are known: any value may have either of two, by how
// it begins. One in learnOneIn of the values that have neither puts its own
// there. They hold names, as manifests do, and none of the data.
var outlines [1 << outlineBits][2]atomic.Pointer[outline]

const (
	outlineBits = 6
	learnOneIn  = 16
)

// known is value for one that is likely to have the outline of an earlier one.
func (s *scanner) known(i int) int {
	if i < 0 || len(s.buf)-i < outlineFrom || s.buf[i] != '{' && s.buf[i] != '[' {
		return s.value(i)
	}
	set := &outlines[binary.LittleEndian.Uint32(s.buf[i+1:])*0x9e3779b1>>(32-outlineBits)]
	for k := range set {
		if o := set[k].Load(); o != nil && o.within(s) {
			if end := s.along(o, i); end >= 0 {
				s.tokens -= o.tokens
				return end
			}
			s.fault = fault{} // what is wrong with it is for value to say
		}
	}
	end := s.value(i)
	if end >= 0 {
		if r := rand.Uint32(); r%learnOneIn == 0 {
			if o := outlineOf(s.buf[i:end]); o != nil {
				set[r/learnOneIn%2].Store(o)
			}
		}
	}
	return end
}

// within reports whether the limits allow a value with this outline.
func (o *outline) within(s *scanner) bool {
	return o.tokens <= s.tokens && o.depth+len(s.containers) <= s.maxDepth && o.members <= s.maxMembers
}

// along returns where the value that begins at i ends if it has the outline,
// else a negative position.
func (s *scanner) along(o *outline, i int) int {
	buf := s.buf
	for n, part := range o.parts {
		end := i + len(part)
		if end > len(buf) || string(buf[i:end]) != part {
			return failed
		}
		if i = end; n == len(o.parts)-1 {
			break
		}
		switch s.at(i) {
		case '"':
			end := plain.Short(buf, i+1)
			if end < 0 {
				if end, _ = s.text(i + 1); end < 0 {
					return failed
				}
			}
			i = end + 1
		case 't':
			i = s.literal(i, "true")
		case 'f':
			i = s.literal(i, "false")
		case 'n':
			i = s.literal(i, "null")
		case 0:
			return failed
		default:
			i = s.number(i)
		}
		if i < 0 {
			return failed
		}
	}
	return i
}

// outlineOf returns the outline of an object or array that value has read, or
// nil if it is not worth one.
func outlineOf(value []byte) *outline {
	var text []byte
	var ends []int    // of the parts in text
	var members []int // of the containers that are open
	var o outline     // so far
	for i, start := 0, 0; i < len(value); {
		end, scalar := i+1, false
		switch c := value[i]; c {
		case '{', '[':
			o.tokens++
			members = append(members, 0)
			o.depth = max(o.depth, len(members))
		case '}', ']':
			o.members = max(o.members, members[len(members)-1])
			members = members[:len(members)-1]
		case ' ', '\t', '\r', '\n', ',', ':':
		case '"':
			if end += plain.Text(value[end:]); value[end] != '"' {
				return nil // it has escapes, and so rarely an equal
			}
			end++
			o.tokens++
			if scalar = !isName(value[end:]); !scalar {
				members[len(members)-1]++
			}
		default:
			for end < len(value) && !endsScalar(value[end]) {
				end++
			}
			o.tokens++
			scalar = true
		}
		if scalar {
			text = append(text, value[start:i]...)
			ends = append(ends, len(text))
			start = end
		}
		if i = end; i == len(value) {
			text = append(text, value[start:]...)
			ends = append(ends, len(text))
		}
		if len(ends) > outlineScalars+1 || len(text) > outlineText || o.depth > outlineDepth {
			return nil
		}
	}
	all, from := string(text), 0
	for _, end := range ends {
		o.parts = append(o.parts, all[from:end])
		from = end
	}
	return &o
}

// isName reports whether what follows a string makes it a member name.
func isName(after []byte) bool {
	for _, c := range after {
		if !isSpace(c) {
			return c == ':'
		}
	}
	return false
}

func endsScalar(c byte) bool { return isSpace(c) || strings.IndexByte(",]}", c) >= 0 }
