package plain

import (
	"encoding/binary"
	"math/bits"
)

// ASCII returns how many bytes at the front of text are plain and ASCII.
func ASCII(text []byte) int {
	if wide && len(text) >= wideFrom {
		return asciiWide(&text[0], len(text))
	}
	return asciiWords(text)
}

// Text returns how many bytes at the front of text are plain, be they ASCII
// or not.
func Text(text []byte) int {
	if wide && len(text) >= wideFrom {
		return textWide(&text[0], len(text))
	}
	return textWords(text)
}

// Short returns where the closing quote of the string is whose inside begins
// at i, if it is among the next eight bytes and nothing but plain ASCII comes
// before it; else -1. Most names are that short, and this is small enough to
// be inlined.
func Short(text []byte, i int) int {
	if i+8 <= len(text) {
		m := InASCII(binary.LittleEndian.Uint64(text[i:]))
		if i += bits.TrailingZeros64(m) >> 3; m != 0 && text[i] == '"' {
			return i
		}
	}
	return -1
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// quotes returns a word in which the high bit of each byte of w that is a
// quote or a control character is set. What the borrow of such a byte, or a
// byte that is not ASCII, does to the bits is for the caller to mask.
func quotes(w uint64) uint64 {
	// A quote becomes 0x20, and what was below 0x20 stays there.
	return (w ^ ones*2) - ones*0x21
}

// slashes does the same for backslashes.
func slashes(w uint64) uint64 { return (w ^ ones*'\\') - ones }

// InText returns 0 when all eight bytes of w are plain. Else its lowest bit is
// in the first byte that is not, and the bits above mean nothing. The first
// byte is the lowest of w.
func InText(w uint64) uint64 { return (quotes(w) | slashes(w)) &^ w & highs }

// InASCII is InText with what is not ASCII counted among what is not plain.
func InASCII(w uint64) uint64 { return (quotes(w) | slashes(w) | w) & highs }

// asciiWords is ASCII by words of eight bytes, four at a time where the text
// is long: nothing is found in most of them, so one look at all four will do.
func asciiWords(text []byte) int {
	i := 0
	for ; i+32 <= len(text); i += 32 {
		b := text[i : i+32]
		w0, w1 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		w2, w3 := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		m := quotes(w0) | slashes(w0) | w0 | quotes(w1) | slashes(w1) | w1
		m |= quotes(w2) | slashes(w2) | w2 | quotes(w3) | slashes(w3) | w3
		if m&highs != 0 {
			break
		}
	}
	for ; i+8 <= len(text); i += 8 {
		if m := InASCII(binary.LittleEndian.Uint64(text[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(text) && text[i] < 0x80 && isPlain(text[i]) {
		i++
	}
	return i
}

// textWords is Text by words of eight bytes.
func textWords(text []byte) int {
	i := 0
	for ; i+32 <= len(text); i += 32 {
		b := text[i : i+32]
		w0, w1 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		w2, w3 := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		m := (quotes(w0)|slashes(w0))&^w0 | (quotes(w1)|slashes(w1))&^w1
		m |= (quotes(w2)|slashes(w2))&^w2 | (quotes(w3)|slashes(w3))&^w3
		if m&highs != 0 {
			break
		}
	}
	for ; i+8 <= len(text); i += 8 {
		if m := InText(binary.LittleEndian.Uint64(text[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(text) && isPlain(text[i]) {
		i++
	}
	return i
}

func isPlain(c byte) bool { return c >= ' ' && c != '"' && c != '\\' }
