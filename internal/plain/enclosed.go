package plain

// Enclosed returns the length of the object or array that text begins with,
// or -1 if that does not end. It must be valid JSON: of anything else the
// result means nothing, but is within the text.
func Enclosed(text []byte) int {
	switch {
	case !masks:
		return enclosedBytes(text)
	case len(text) < len(block{}):
		var b block
		copy(b[:], text)
		return enclosedWide(&b[0], len(b))
	}
	return enclosedWide(&text[0], len(text))
}

// block is what enclosedWide looks at in one step.
type block [64]byte

// What a byte outside of strings means to enclosedBytes.
const (
	inside = iota
	opens
	closes
	quoted
)

var meanings = [256]uint8{'{': opens, '[': opens, '}': closes, ']': closes, '"': quoted}

// enclosedBytes is Enclosed from string to string, and byte by byte between.
func enclosedBytes(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch meanings[text[i]] {
		case opens:
			depth++
		case closes:
			if depth--; depth <= 0 {
				return i + 1
			}
		case quoted:
			if end := Short(text, i+1); end >= 0 {
				i = end
				continue
			}
			for i++; i < len(text); i += 2 { // an escape, whose second character may be a quote
				if i += Text(text[i:]); i >= len(text) || text[i] == '"' {
					break
				}
			}
		}
	}
	return -1
}
