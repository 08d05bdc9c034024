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
	start := i
	if s.at(i) == '-' {
		i++
	}
	switch c := s.at(i); {
	case c == '0':
		i++
	case '1' <= c && c <= '9':
		i = s.digits(i)
	case i == start:
		return s.bad(i, "expected a value")
	default:
		return s.bad(i, "expected a digit")
	}
	if s.at(i) == '.' {
		if i++; !isDigit(s.at(i)) {
			return s.bad(i, "expected a digit")
		}
		i = s.digits(i)
	}
	if s.at(i)|0x20 == 'e' {
		if i++; s.at(i) == '+' || s.at(i) == '-' {
			i++
		}
		if !isDigit(s.at(i)) {
			return s.bad(i, "expected a digit")
		}
		i = s.digits(i)
	}
	return i
}

func (s *scanner) digits(i int) int {
	for i < len(s.buf) && isDigit(s.buf[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
