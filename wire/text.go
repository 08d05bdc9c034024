package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/ekkojs/ipc/internal/plain"
)

// text reads a string from after its opening quote and returns where its
// closing quote is, and whether it holds escapes. Escapes are checked, and so
// is UTF-8. Most strings are short, hence a few words before anything else.
func (s *scanner) text(start int) (end int, escaped bool) {
	buf := s.buf
	for end = start; end+8 <= len(buf); end += 8 {
		if end == start+16 {
			end += plain.ASCII(buf[end:])
			break
		}
		if m := plain.InASCII(binary.LittleEndian.Uint64(buf[end:])); m != 0 {
			end += bits.TrailingZeros64(m) >> 3
			break
		}
	}
	if end < len(buf) && buf[end] == '"' {
		return end, false
	}
	return s.hardText(start, end)
}

// hardText is text for any string: one with escapes, not all ASCII, at the
// end of the text, or wrong. Up to i the string is known to be plain ASCII.
func (s *scanner) hardText(start, i int) (end int, escaped bool) {
	buf, ascii := s.buf, true
	for i < len(buf) {
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
			if ascii {
				i += run(buf[i:])
				ascii = i == len(buf) || buf[i] < utf8.RuneSelf
			}
			if !ascii { // to the end first, which is near: UTF-8 is looked at there
				i += plain.Text(buf[i:])
			}
		}
	}
	return s.bad(i, "unexpected end within a string"), false
}

// run is plain.ASCII for text in which the next escape is never far.
func run(text []byte) int {
	if len(text) >= 8 {
		if m := plain.InASCII(binary.LittleEndian.Uint64(text)); m != 0 {
			return bits.TrailingZeros64(m) >> 3
		}
	}
	return plain.ASCII(text)
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
