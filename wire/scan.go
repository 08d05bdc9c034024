package wire

import (
	"sync"

	"github.com/ekkojs/ipc/internal/plain"
)

// A scanner walks one JSON text strictly, once, without recursion and without
// building anything. Its methods take a position and return the position
// after what they have read, or a negative one with the fault noted.
type scanner struct {
	buf        []byte
	tokens     int // how many more may come
	maxTokens  int
	maxDepth   int
	maxMembers int
	fewMembers int // up to this many names of an object are not worth a table, or allowed

	containers []container // those that are open, the innermost last
	members    members

	fault fault
}

const failed = -1

// Scanners are kept, because what they need to remember is different for each
// text and would be an allocation or, on the stack, some hundred bytes to
// clear, each time.
var scanners = sync.Pool{New: func() any {
	return &scanner{
		containers: make([]container, 0, 64),
		members:    members{spans: make([]span, 0, 128)},
	}
}}

// newScanner returns a scanner of buf, to be released after use.
func newScanner(buf []byte, l *Limits) *scanner {
	s := scanners.Get().(*scanner)
	s.set(buf, l)
	return s
}

func (s *scanner) set(buf []byte, l *Limits) {
	s.buf = buf
	s.maxTokens = l.maxTokens()
	s.tokens = s.maxTokens
	s.maxDepth = l.maxDepth()
	s.maxMembers = l.maxMembers()
	s.fewMembers = min(s.maxMembers, fewNames)
	if len(buf) > ceilingBytes {
		s.buf = nil // nothing is read, so whatever comes next fails
		s.large(0, "a text of more than 1 GiB", ceilingBytes)
	}
}

// release gives the scanner back and returns the failure, if there was one.
func (s *scanner) release() error {
	kept, err := s.reset()
	if kept {
		scanners.Put(s)
	}
	return err
}

// reset makes the scanner ready for another text, and returns the failure, if
// there was one. One that has grown too much is not to be kept.
func (s *scanner) reset() (kept bool, err error) {
	if s.fault.code != "" {
		err = s.fault.failure()
		s.fault = fault{}
	}
	s.buf = nil
	s.containers = s.containers[:0]
	return s.members.reset(), err
}

// space skips white space.
func (s *scanner) space(i int) int {
	for i < len(s.buf) && isSpace(s.buf[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool {
	return c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t')
}

// end checks that nothing but white space follows.
func (s *scanner) end(i int) int {
	if i = s.space(i); i < len(s.buf) {
		return s.bad(i, "unexpected text after the value")
	}
	return i
}

// value reads the value that begins at i. It is one loop over all that is
// within, because calls from one small function to the next were most of what
// a small value cost.
func (s *scanner) value(i int) int {
	buf, floor := s.buf, len(s.containers)
values:
	for {
		if i >= len(buf) {
			return s.bad(i, "unexpected end, expected a value")
		}
		if s.tokens--; s.tokens < 0 {
			return s.tooMany(i)
		}
		switch c := buf[i]; c {
		case '"':
			end := plain.Short(buf, i+1)
			if end < 0 {
				if end, _ = s.text(i + 1); end < 0 {
					return failed
				}
			}
			i = end + 1
		case '{':
			if i = s.open(i, uint32(len(s.members.spans))); i < 0 {
				return failed
			}
			if i >= len(buf) || buf[i] != '}' {
				if _, _, i, _ = s.name(i); i < 0 {
					return failed
				}
				continue
			}
			i = s.close(i)
		case '[':
			if i = s.open(i, isArray); i < 0 {
				return failed
			}
			if i >= len(buf) || buf[i] != ']' {
				continue
			}
			i = s.close(i)
		case 't':
			i = s.literal(i, "true")
		case 'f':
			i = s.literal(i, "false")
		case 'n':
			i = s.literal(i, "null")
		default:
			i = s.number(i)
		}
		if i < 0 {
			return failed
		}
		for len(s.containers) > floor {
			if i < len(buf) && buf[i] <= ' ' {
				i = s.space(i)
			}
			if i >= len(buf) {
				return s.bad(i, "unexpected end within an object or array")
			}
			inArray := s.containers[len(s.containers)-1].base == isArray
			switch c := buf[i]; {
			case c == ',':
				if i++; i < len(buf) && buf[i] <= ' ' {
					i = s.space(i)
				}
				if !inArray {
					if _, _, i, _ = s.name(i); i < 0 {
						return failed
					}
				}
				continue values
			case c == ']' && inArray, c == '}' && !inArray:
				i = s.close(i)
			case inArray:
				return s.bad(i, "expected a comma or the end of the array")
			default:
				return s.bad(i, "expected a comma or the end of the object")
			}
		}
		return i
	}
}

// open enters the container that begins at i and skips the space after.
func (s *scanner) open(i int, base uint32) int {
	if len(s.containers) >= s.maxDepth {
		return s.large(i, "nested too deeply", s.maxDepth)
	}
	s.containers = append(s.containers, container{base: base})
	return s.space(i + 1)
}

// close leaves the innermost container, which ends at i.
func (s *scanner) close(i int) int {
	top := len(s.containers) - 1
	if base := s.containers[top].base; base != isArray {
		s.members.leave(s.buf, base)
	}
	s.containers = s.containers[:top]
	return i + 1
}

// name reads a member name of the innermost object and its colon. It returns
// where the name stands within its quotes, and the position of the value,
// which is negative when it failed. The name must be new to the object.
func (s *scanner) name(i int) (start, end, value int, escaped bool) {
	buf := s.buf
	if i >= len(buf) || buf[i] != '"' {
		return 0, 0, s.bad(i, "expected a member name"), false
	}
	if s.tokens--; s.tokens < 0 {
		return 0, 0, s.tooMany(i), false
	}
	start = i + 1
	if end = plain.Short(buf, start); end < 0 {
		if end, escaped = s.text(start); end < 0 {
			return 0, 0, failed, false
		}
	}
	object := &s.containers[len(s.containers)-1]
	bit := hint(buf[start:end])
	if !escaped && object.seen&bit == 0 && len(s.members.spans)-int(object.base) < s.fewMembers {
		object.seen |= bit // a name like no other of the object: nearly always so
		s.members.spans = append(s.members.spans, span{uint32(start), uint32(end)})
	} else if !s.remember(start, end, escaped) {
		return 0, 0, failed, false
	}
	if i = end + 1; i < len(buf) && buf[i] != ':' {
		i = s.space(i)
	}
	if i >= len(buf) || buf[i] != ':' {
		return 0, 0, s.bad(i, "expected a colon after the member name"), false
	}
	if i++; i < len(buf) && buf[i] <= ' ' {
		i = s.space(i)
	}
	return start, end, i, escaped
}

// remember notes a name of the innermost object, which must be new to it.
func (s *scanner) remember(start, end int, escaped bool) bool {
	m, object := &s.members, &s.containers[len(s.containers)-1]
	if len(m.spans)-int(object.base) >= s.maxMembers {
		s.large(start, "too many members in one object", s.maxMembers)
		return false
	}
	sp := span{uint32(start), uint32(end)}
	if escaped {
		sp = m.keep(s.buf[start:end])
	}
	if !m.add(s.buf, s.containers, sp) {
		s.bad(start, "duplicate member name")
		return false
	}
	return true
}

// at returns the byte at i, or NUL at the end, which no grammar rule accepts.
func (s *scanner) at(i int) byte {
	if i < len(s.buf) {
		return s.buf[i]
	}
	return 0
}
