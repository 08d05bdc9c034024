package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special returns a word in which the high bit of the first byte of w that is
// a quote, a backslash or a control character is the lowest bit set; 0 when w
// has none. Bits above that one mean nothing.
func special(w uint64) uint64 {
	low := w ^ ones*2 // a quote becomes 0x20, and what was below 0x20 stays there
	slash := w ^ ones*'\\'
	return ((low-ones*0x21)&^low | (slash-ones)&^slash) & highs
}

// text reads a string from after its opening quote and returns where its
// closing quote is, and whether it holds escapes. Escapes are checked, and so
// is UTF-8.
func (s *scanner) text(start int) (end int, escaped bool) {
	buf, seen := s.buf, uint64(0)
	for end = start; end+8 <= len(buf); end += 8 {
		w := binary.LittleEndian.Uint64(buf[end:])
		if m := special(w); m != 0 {
			seen |= w & (m&-m - 1)
			end += bits.TrailingZeros64(m) >> 3
			if buf[end] == '"' && seen&highs == 0 {
				return end, false
			}
			break
		}
		seen |= w
	}
	return s.hardText(start, end, seen&highs == 0)
}

// hardText is text for any string: one with escapes, not all ASCII, or wrong.
// Up to i the string is known to hold nothing special, ascii says if not even
// other characters than those of ASCII.
func (s *scanner) hardText(start, i int, ascii bool) (end int, escaped bool) {
	buf := s.buf
	for i < len(buf) {
		if i+8 <= len(buf) {
			w := binary.LittleEndian.Uint64(buf[i:])
			m := special(w)
			if m == 0 {
				ascii = ascii && w&highs == 0
				i += 8
				continue
			}
			ascii = ascii && w&(m&-m-1)&highs == 0
			i += bits.TrailingZeros64(m) >> 3
		}
		switch c := buf[i]; {
		case c == '"':
			if !ascii && !utf8.Valid(buf[start:i]) {
				return s.bad(start+invalidUTF8(buf[start:i]), "invalid UTF-8"), false
			}
			return i, escaped
		case c == '\\':
			escaped = true
			if i = s.escape(i); i < 0 {
				return failed, false
			}
		case c < ' ':
			return s.bad(i, "control character within a string"), false
		default:
			ascii = ascii && c < utf8.RuneSelf
			i++
		}
	}
	return s.bad(i, "unexpected end within a string"), false
}

// escape reads the escape sequence at i. A surrogate must come with its
// other half, because alone it stands for no character.
func (s *scanner) escape(i int) int {
	switch s.at(i + 1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		r, ok := hex4(s.buf, i+2)
		switch {
		case !ok:
			return s.bad(i, "invalid escape sequence")
		case r < 0xd800 || r > 0xdfff:
			return i + 6
		case r < 0xdc00 && s.at(i+6) == '\\' && s.at(i+7) == 'u':
			if low, ok := hex4(s.buf, i+8); ok && 0xdc00 <= low && low <= 0xdfff {
				return i + 12
			}
		}
		return s.bad(i, "unpaired surrogate")
	}
	return s.bad(i, "invalid escape sequence")
}

// hex4 reads the four hexadecimal digits at i.
func hex4(buf []byte, i int) (r rune, ok bool) {
	if i+4 > len(buf) {
		return 0, false
	}
	for _, c := range buf[i : i+4] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// invalidUTF8 returns where text stops being UTF-8.
func invalidUTF8(text []byte) int {
	i := 0
	for i < len(text) {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}

// unescape appends what the inside of a checked string stands for.
func unescape(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		c = raw[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := hex4(raw, i)
			i += 4
			if 0xd800 <= r && r <= 0xdbff {
				low, _ := hex4(raw, i+2)
				r = (r-0xd800)<<10 + (low - 0xdc00) + 0x10000
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
