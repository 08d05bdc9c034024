package wire

// each reads the object at i and calls read for each of its members, at the
// member's value.
func (s *scanner) each(i int, read func(name []byte, i int) int) int {
	if s.at(i) != '{' {
		return s.bad(i, "expected an object")
	}
	if s.tokens--; s.tokens < 0 {
		return s.tooMany(i)
	}
	if i = s.open(i, uint32(len(s.members.spans))); i < 0 || s.at(i) == '}' {
		return s.closeIf(i)
	}
	return s.eachFrom(i, read)
}

// eachFrom is each from the member on whose name is at i.
func (s *scanner) eachFrom(i int, read func(name []byte, i int) int) int {
	for {
		start, end, value, escaped := s.name(i)
		if value < 0 {
			return failed
		}
		name := s.buf[start:end]
		if escaped {
			name = unescape(nil, name)
		}
		if i = read(name, value); i < 0 {
			return failed
		}
		if i = s.space(i); s.at(i) != ',' {
			return s.closeIf(i)
		}
		i = s.space(i + 1)
	}
}

// eachAfter is each from the end of a member on.
func (s *scanner) eachAfter(i int, read func(name []byte, i int) int) int {
	if i = s.space(i); s.at(i) != ',' {
		return s.closeIf(i)
	}
	return s.eachFrom(s.space(i+1), read)
}

// closeIf leaves the innermost object if that ends at i.
func (s *scanner) closeIf(i int) int {
	switch {
	case i < 0:
		return failed
	case s.at(i) != '}':
		return s.bad(i, "expected a comma or the end of the object")
	}
	return s.close(i)
}
