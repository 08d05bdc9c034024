package wire

// literal reads one of the three words; which one, its first letter has said.
func (s *scanner) literal(i int, word string) int {
	if end := i + len(word); end <= len(s.buf) && string(s.buf[i:end]) == word {
		return end
	}
	return s.bad(i, "expected a value")
}

// number reads a number by the grammar of JSON. Its size is not bounded: what
// cannot be represented is for whoever interprets the value to say.
func (s *scanner) number(i int) int {
	buf, start := s.buf, i
	if buf[i] == '-' {
		i++
	}
	switch c := s.at(i); {
	case c == '0':
		i++
	case '1' <= c && c <= '9':
		i = digits(buf, i+1)
	case i == start:
		return s.bad(i, "expected a value")
	default:
		return s.bad(i, "expected a digit")
	}
	if i < len(buf) && buf[i] == '.' {
		if i++; !isDigit(s.at(i)) {
			return s.bad(i, "expected a digit")
		}
		i = digits(buf, i+1)
	}
	if i < len(buf) && buf[i]|0x20 == 'e' {
		if i++; s.at(i) == '+' || s.at(i) == '-' {
			i++
		}
		if !isDigit(s.at(i)) {
			return s.bad(i, "expected a digit")
		}
		i = digits(buf, i+1)
	}
	return i
}

// digits returns the position after the digits that begin at i.
func digits(buf []byte, i int) int {
	for i < len(buf) && isDigit(buf[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
