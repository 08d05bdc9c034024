package filter

import (
	"unicode/utf8"

	"github.com/ekkojs/ipc/internal/plain"
)

// stringEnd returns where the closing quote of the string is whose inside
// begins at i, -1 if it has none, and whether there are escapes in it.
func stringEnd(data []byte, i int) (end int, escaped bool) {
	if end = plain.Short(data, i); end >= 0 {
		return end, false
	}
	for i < len(data) {
		if i += plain.Text(data[i:]); i >= len(data) {
			break
		}
		switch data[i] {
		case '"':
			return i, escaped
		case '\\':
			escaped = true
			i += 2
		default: // a control character, which valid JSON has not
			i++
		}
	}
	return -1, false
}

// unescape appends what the inside of a string stands for. Of what is no
// escape it makes anything, but no more than it was long.
func unescape(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' || i+1 == len(raw) {
			dst = append(dst, c)
			i++
			continue
		}
		c = raw[i+1]
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
			r, n := unicodeEscape(raw[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		dst = append(dst, c)
		i += 2
	}
	return dst
}

// unicodeEscape reads the escape \u at the front of raw, with the other half
// where it is a surrogate. What stands for no character is utf8.RuneError.
func unicodeEscape(raw []byte) (r rune, length int) {
	r, ok := hex4(raw)
	switch {
	case !ok:
		return utf8.RuneError, min(len(raw), 2)
	case r < 0xd800 || r > 0xdfff:
		return r, 6
	case r < 0xdc00 && len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u':
		if low, ok := hex4(raw[6:]); ok && 0xdc00 <= low && low <= 0xdfff {
			return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, 12
		}
	}
	return utf8.RuneError, 6
}

// hex4 reads the four hexadecimal digits of the escape at the front of raw.
func hex4(raw []byte) (r rune, ok bool) {
	if len(raw) < 6 {
		return 0, false
	}
	for _, c := range raw[2:6] {
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
