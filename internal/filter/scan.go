package filter

import "github.com/ekkojs/ipc/internal/plain"

// scan is one look at the data, from front to back. Its methods take a position
// and return the one after what they read, or done when there is no need to go
// on, or no way.
type scan struct {
	data   []byte
	filter *Filter
	holds  uint64 // the conditions that hold by what has been seen
	left   int    // places that have not been seen
}

const done = -1

// The data is valid JSON, so these loops ask for no more than what they need
// to get through any text: each of them goes forward in every round.

func (s *scan) space(i int) int {
	for i < len(s.data) && isSpace(s.data[i]) {
		i++
	}
	return i
}

// at is the byte at i, NUL at the end.
func (s *scan) at(i int) byte {
	if i < len(s.data) {
		return s.data[i]
	}
	return 0
}

// value reads the value at i, which is at that place.
func (s *scan) value(p *place, i int) int {
	v := value{}
	end := i
	switch s.at(i) {
	case '"':
		last, escaped := stringEnd(s.data, i+1)
		if last < 0 {
			return done
		}
		v.kind, v.text, end = aText, s.data[i+1:last], last+1
		if escaped && p.texts {
			return s.escaped(p, v.text, end)
		}
	case '{', '[':
		v.kind = other
		if !s.see(p, &v) {
			return done
		}
		return s.container(p, i)
	case 't':
		v.kind, end = aTrue, i+len("true")
	case 'f':
		v.kind, end = aFalse, i+len("false")
	case 'n':
		v.kind, end = aNull, i+len("null")
	default:
		v.kind = aNumber
		if v.number, end = readNumber(s.data, i); end == i {
			return done
		}
		if v.text = s.data[i:end]; len(v.text) > MaxText {
			v.kind = other // longer than any literal, and not worth to be compared with many
		}
	}
	if !s.see(p, &v) {
		return done
	}
	return end
}

// escaped is what is left to do for a text that ends at end and has escapes.
func (s *scan) escaped(p *place, text []byte, end int) int {
	var room [256]byte
	if !s.see(p, &value{kind: aText, text: unescape(room[:0], text)}) {
		return done
	}
	return end
}

// see judges what is at that place. It reports whether there is more to see.
func (s *scan) see(p *place, v *value) bool {
	if p.bits == 0 {
		return true
	}
	holds := s.holds &^ p.bits
	for k := range p.tests {
		if t := &p.tests[k]; t.holds(v) {
			holds |= t.bit
		}
	}
	s.holds = holds
	s.left--
	return s.left > 0 && s.filter.needed&p.bits&^holds == 0 && s.filter.enough&p.bits&holds == 0
}

// container reads the object or array at i.
func (s *scan) container(p *place, i int) int {
	switch {
	case s.data[i] == '{' && len(p.names) > 0:
		return s.object(p, i)
	case s.data[i] == '[' && len(p.items) > 0:
		return s.array(p, i)
	}
	n := plain.Enclosed(s.data[i:])
	if n < 0 {
		return done
	}
	return i + n
}

func (s *scan) object(p *place, i int) int {
	if i = s.space(i + 1); s.at(i) == '}' {
		return i + 1
	}
	for s.at(i) == '"' {
		start := i + 1
		end, escaped := stringEnd(s.data, start)
		if end < 0 {
			return done
		}
		i = s.space(end + 1)
		if s.at(i) != ':' {
			return done
		}
		i = s.space(i + 1)
		if next := p.member(s.data[start:end], escaped); next != nil {
			i = s.value(next, i)
		} else {
			i = s.skip(i)
		}
		if i < 0 {
			return done
		}
		switch i = s.space(i); s.at(i) {
		case ',':
			i = s.space(i + 1)
		case '}':
			return i + 1
		default:
			return done
		}
	}
	return done
}

// member is the place that a name leads to, nil if no path goes there.
func (p *place) member(name []byte, escaped bool) *place {
	if escaped {
		return p.escapedMember(name)
	}
	if p.lengths>>(len(name)&63)&1 == 0 {
		return nil
	}
	for k := range p.names {
		if p.names[k].name == string(name) {
			return p.names[k].place
		}
	}
	return nil
}

func (p *place) escapedMember(name []byte) *place {
	var room [64]byte
	return p.member(unescape(room[:0], name), false)
}

func (s *scan) array(p *place, i int) int {
	if i = s.space(i + 1); s.at(i) == ']' {
		return i + 1
	}
	wanted := p.items
	for index := 0; ; index++ {
		if len(wanted) > 0 && wanted[0].index == index {
			i = s.value(wanted[0].place, i)
			wanted = wanted[1:]
		} else {
			i = s.skip(i)
		}
		if i < 0 {
			return done
		}
		switch i = s.space(i); s.at(i) {
		case ',':
			i = s.space(i + 1)
		case ']':
			return i + 1
		default:
			return done
		}
	}
}

// skip goes past the value at i, which nobody asks for.
func (s *scan) skip(i int) int {
	switch s.at(i) {
	case '"':
		end, _ := stringEnd(s.data, i+1)
		if end < 0 {
			return done
		}
		return end + 1
	case '{', '[':
		n := plain.Enclosed(s.data[i:])
		if n < 0 {
			return done
		}
		return i + n
	}
	start := i
	for i < len(s.data) && scalar[s.data[i]] {
		i++
	}
	if i == start {
		return done
	}
	return i
}

// scalar has the bytes of numbers and of true, false and null.
var scalar = func() (is [256]bool) {
	for _, c := range "0123456789+-.eEtrufalsn" {
		is[c] = true
	}
	return is
}()
