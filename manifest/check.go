package manifest

import "strconv"

// maxNesting is the deepest value that a recursive type is followed into; the
// wire admits no deeper one.
const maxNesting = 256

// fail collects, from the inside out, what a value broke. It lives on the
// caller's stack and stays empty when all is well, which keeps the good case
// free of allocations.
type fail struct {
	rule     string
	expected string
	got      string
	note     string // instead of "expected …, got …"
	hint     string // after the message: did you mean …
	path     []step // innermost first
	nesting  int
}

// step is one token of a path: a member's name, or an element's index where
// the name is empty and index is not negative.
type step struct {
	name  string
	index int
}

func (f *fail) inMember(name string) { f.path = append(f.path, step{name, -1}) }
func (f *fail) inElement(i int)      { f.path = append(f.path, step{"", i}) }

// wrong notes that the value at i is not what was asked, and is -1.
func (f *fail) wrong(rule, expected string, b []byte, i int) int {
	f.rule, f.expected, f.got = rule, expected, describe(b, i)
	return -1
}

// broken notes that the text is no JSON, and is -1.
func (f *fail) broken() int {
	f.rule, f.note = "json", "malformed JSON"
	return -1
}

// describe names the kind of the value at i.
func describe(b []byte, i int) string {
	if i >= len(b) {
		return "nothing"
	}
	switch b[i] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// checkAll reports whether data is one value that fits. Absent data fits
// nothing.
func (t *Type) checkAll(data []byte, f *fail) bool {
	i := skipSpace(data, 0)
	if i == len(data) {
		f.wrong("required", t.brief(), data, i)
		return false
	}
	end := t.checkWhole(data, i, true, f)
	if end < 0 {
		return false
	}
	if skipSpace(data, end) != len(data) {
		f.broken()
		return false
	}
	return true
}

// checkWhole is check for a value that, if whole says so, is all that b has
// from i on. What is in it is then not walked over where nothing is asked of it.
func (t *Type) checkWhole(b []byte, i int, whole bool, f *fail) int {
	if whole && i < len(b) && t.isFree(b[i]) {
		return f.unbroken(skipWhole(b, i))
	}
	return t.check(b, i, f)
}

// isFree reports whether any string, object or array fits that begins with c.
func (t *Type) isFree(c byte) bool {
	for t.Kind == KindNamed && t.schema == nil {
		t = t.Target
	}
	switch {
	case t.schema != nil:
		return false
	case c == '"':
		return t.Kind == KindString || t.Kind == KindAny
	case c == '{':
		return t.Kind == KindObject && len(t.Fields) == 0 || t.Kind == KindAny
	case c == '[':
		return t.Kind == KindArray && t.Elem == nil || t.Kind == KindAny
	}
	return false
}

// check is the position after the value at i if the value fits, else -1 with
// the reason in f.
func (t *Type) check(b []byte, i int, f *fail) int {
	if i >= len(b) {
		return f.broken()
	}
	if t.Nullable && b[i] == 'n' {
		return skipScalar(b, i)
	}
	end := t.checkKind(b, i, f)
	if end < 0 {
		if t.Nullable && f.rule == "type" && len(f.path) == 0 {
			f.expected = t.brief()
		}
		return -1
	}
	if t.schema != nil && !t.schema.check(b[i:end], f) {
		return -1
	}
	return end
}

func (t *Type) checkKind(b []byte, i int, f *fail) int {
	c := b[i]
	switch t.Kind {
	case KindString:
		if c == '"' {
			return f.unbroken(skipString(b, i))
		}
	case KindNumber:
		if isNumber(c) {
			end := skipScalar(b, i)
			if isFinite(b[i:end]) {
				return end
			}
			f.wrong("range", "a number that a double can hold", b, i)
			f.got = clip(b[i:end])
			return -1
		}
	case KindInteger:
		if isNumber(c) {
			return t.checkInteger(b, i, f)
		}
	case KindBoolean:
		if c == 't' || c == 'f' {
			return skipScalar(b, i)
		}
	case KindNull:
		if c == 'n' {
			return skipScalar(b, i)
		}
	case KindObject:
		if c == '{' {
			return t.checkObject(b, i, f)
		}
	case KindArray:
		if c == '[' {
			return t.checkArray(b, i, f)
		}
	case KindNamed:
		return t.Target.check(b, i, f)
	default: // KindAny, KindSchema
		return f.unbroken(skipValue(b, i))
	}
	return f.wrong("type", t.brief(), b, i)
}

// unbroken passes a scanner's position on, noting broken text.
func (f *fail) unbroken(end int) int {
	if end < 0 {
		return f.broken()
	}
	return end
}

func (t *Type) checkInteger(b []byte, i int, f *fail) int {
	end := skipScalar(b, i)
	whole, safe := integer(b[i:end])
	if whole && safe {
		return end
	}
	if whole {
		f.wrong("range", "integer within ±(2^53-1)", b, i)
	} else {
		f.wrong("type", t.brief(), b, i)
	}
	f.got = clip(b[i:end])
	return -1
}

// clip is a number's text, short enough for a message.
func clip(lit []byte) string {
	const most = 32
	if len(lit) > most {
		return string(lit[:most]) + "…"
	}
	return string(lit)
}

func (f *fail) enter() bool {
	if f.nesting++; f.nesting > maxNesting {
		f.rule, f.note = "depth", "nested deeper than "+strconv.Itoa(maxNesting)+" levels"
		return false
	}
	return true
}

func (t *Type) checkArray(b []byte, i int, f *fail) int {
	if t.Elem == nil {
		return f.unbroken(skipValue(b, i))
	}
	if !f.enter() {
		return -1
	}
	i, more := first(b, i, ']')
	for n := 0; more; n++ {
		end := t.Elem.check(b, i, f)
		if end < 0 {
			f.inElement(n)
			return -1
		}
		i, more = next(b, end, ']')
	}
	f.nesting--
	return f.unbroken(i)
}

func (t *Type) checkObject(b []byte, i int, f *fail) int {
	switch {
	case len(t.Fields) == 0:
		return f.unbroken(skipValue(b, i))
	case len(t.Fields) <= 64:
		var seen [1]uint64
		return t.checkFields(b, i, f, seen[:])
	}
	var seen [maxMembers / 64]uint64
	return t.checkFields(b, i, f, seen[:])
}

// checkFields checks the members of the object at i; seen is a bit set for
// len(t.Fields) positions.
func (t *Type) checkFields(b []byte, i int, f *fail, seen []uint64) int {
	if !f.enter() {
		return -1
	}
	likely := 0
	i, more := first(b, i, '}')
	for more {
		name, value := memberName(b, i)
		if value < 0 {
			return f.broken()
		}
		var end int
		if k := t.field(name, likely); k < 0 {
			end = f.unbroken(skipValue(b, value))
		} else {
			field := &t.Fields[k]
			if field.Optional && b[value] == 'n' {
				end = skipScalar(b, value)
			} else if end = field.Type.check(b, value, f); end < 0 {
				f.inMember(field.Name)
			}
			seen[k/64] |= 1 << (k % 64)
			likely = k + 1
		}
		if end < 0 {
			return -1
		}
		i, more = next(b, end, '}')
	}
	if i < 0 {
		return f.broken()
	}
	for w, mask := range t.required {
		if missing := mask &^ seen[w]; missing != 0 {
			t.missing(w, missing, f)
			return -1
		}
	}
	f.nesting--
	return i
}

// field is the position in t.Fields of the member of that name, -1 if it is not
// declared. Members mostly come in the declared order, so the one at likely is
// looked at first.
func (t *Type) field(name []byte, likely int) int {
	if likely < len(t.Fields) && t.Fields[likely].Name == string(name) {
		return likely
	}
	if t.index != nil {
		if k, ok := t.index[string(name)]; ok {
			return k
		}
		return -1
	}
	for k := range t.Fields {
		if t.Fields[k].Name == string(name) {
			return k
		}
	}
	return -1
}

// missing notes the first of the absent members, whose positions are the bits
// of word w.
func (t *Type) missing(w int, bits uint64, f *fail) {
	for k := w * 64; ; k++ {
		if bits>>(k%64)&1 == 1 {
			field := t.Fields[k]
			f.rule, f.expected, f.got = "required", field.Type.brief(), "nothing"
			f.inMember(field.Name)
			return
		}
	}
}
