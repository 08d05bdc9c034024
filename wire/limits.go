package wire

// Limits bounds what a decoder accepts. A nil *Limits means DefaultLimits; a
// field that is not positive means its default, one above its ceiling means
// the ceiling.
type Limits struct {
	MaxDepth   int // nested objects and arrays, the message itself included; default 64, ceiling 256
	MaxMembers int // members of one object; default 4,096, ceiling 65,536
	MaxTokens  int // values and member names of one frame; default 100,000, ceiling 1,000,000
}

// DefaultLimits are the limits that a nil *Limits stands for.
var DefaultLimits = Limits{MaxDepth: 64, MaxMembers: 4096, MaxTokens: 100_000}

const (
	ceilingDepth   = 256
	ceilingMembers = 1 << 16
	ceilingTokens  = 1_000_000

	// ceilingBytes is far above any frame. It is here so that positions in a
	// text fit 31 bits.
	ceilingBytes = 1 << 30
)

func (l *Limits) maxDepth() int {
	if l == nil {
		l = &DefaultLimits
	}
	return clampLimit(l.MaxDepth, 64, ceilingDepth)
}

func (l *Limits) maxMembers() int {
	if l == nil {
		l = &DefaultLimits
	}
	return clampLimit(l.MaxMembers, 4096, ceilingMembers)
}

func (l *Limits) maxTokens() int {
	if l == nil {
		l = &DefaultLimits
	}
	return clampLimit(l.MaxTokens, 100_000, ceilingTokens)
}

func clampLimit(n, standard, ceiling int) int {
	if n <= 0 {
		return standard
	}
	return min(n, ceiling)
}

// Valid reports whether raw is exactly one JSON value, with optional white
// space around it, by the rules of a message: valid UTF-8, no unpaired
// surrogate in an escape, no member name twice in one object, and within l.
// Its failure is an *Error with CodeMalformedMessage or CodeMessageTooLarge.
func (l *Limits) Valid(raw []byte) error {
	s := newScanner(raw, l)
	if i := s.known(s.space(0)); i >= 0 {
		s.end(i)
	}
	return s.release()
}
