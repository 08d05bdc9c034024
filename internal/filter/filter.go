package filter

// MaxText is how long the text of a filter may be, in bytes.
const MaxText = 1024

// The other bounds of a filter. Whoever subscribes makes the service look at
// every event with it, so it must stay small.
const (
	maxNodes  = 64 // conditions, &&, || and !; a Filter has a bit for each condition
	maxDepth  = 16 // ! and parentheses within each other
	maxSteps  = 16 // of a path
	maxValues = 64 // of a list
)

// Filter is an expression on the fields of a JSON value. It is made by [Parse]
// and never changes, so any number of goroutines may use it at the same time.
// A nil Filter matches everything.
type Filter struct {
	text string
	root place // what is looked for in the data

	// The program that makes one answer of those of all conditions.
	jumps []jump
	start int

	// Each condition has a bit of its own.
	absent uint64 // those that hold for a missing field
	needed uint64 // those of which none may fail
	enough uint64 // those of which one is enough

	places int // that conditions are about
}

// Parse returns the filter written in text. Its failure is a *wire.Error with
// INVALID_ARGUMENT that says where the text is wrong, and what was expected.
func Parse(text string) (*Filter, error) {
	e, err := parse(text)
	if err != nil {
		return nil, err
	}
	return compile(e), nil
}

// String returns the filter in its canonical form: two filters that differ in
// spaces, quotes and unneeded parentheses only have the same. As it has spaces
// it may be longer than what Parse takes.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.text
}

// Match reports whether data, valid JSON or nothing, is what f asks for. Of
// anything else the result means nothing.
func (f *Filter) Match(data []byte) bool {
	if f == nil {
		return true
	}
	s := scan{data: data, filter: f, holds: f.absent, left: f.places}
	s.value(&f.root, s.space(0))
	at := f.start
	for at >= 0 {
		j := &f.jumps[at]
		if s.holds&j.condition != 0 {
			at = j.holds
		} else {
			at = j.fails
		}
	}
	return at == accepted
}
