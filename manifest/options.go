package manifest

// The sizes that a manifest's text may have.
const (
	DefaultMaxSize = 256 << 10 // what Parse, Lint and Load accept
	MaxSize        = 1 << 20   // the most that Options can ask for
)

// The further limits, which no option moves.
const (
	maxDepth      = 64      // nesting of the text
	maxValues     = 100_000 // values in the text
	maxMembers    = 4096    // declared members of one object, the limit of the wire
	maxParameters = 64      // of one method
	maxProblems   = 500     // reported of each severity
	maxSchemas    = 2048    // full JSON Schemas and validations
	maxKeywords   = 8192    // objects inside of these; the compiler is quadratic in them
)

// Options changes what is accepted. A nil *Options is the default of each
// field; the package functions [Parse], [Lint] and [Load] use that.
type Options struct {
	// MaxSize of the text in bytes: 0 means DefaultMaxSize, and more than
	// MaxSize means MaxSize.
	MaxSize int
	// AllowReserved admits names whose first token is ipc, ekko, events or
	// broadcast: for the daemon's own manifest, and for readers of what a
	// running service says of itself.
	AllowReserved bool
}

func (o *Options) maxSize() int {
	if o == nil || o.MaxSize <= 0 {
		return DefaultMaxSize
	}
	return min(o.MaxSize, MaxSize)
}

func (o *Options) allowReserved() bool { return o != nil && o.AllowReserved }

// Parse reads a manifest. If the text has errors the result is a *[SyntaxError]
// that holds all of them; warnings alone are kept in [Manifest.Warnings].
func Parse(data []byte) (*Manifest, error) { return (*Options)(nil).Parse(data) }

// Lint reports what is wrong with a manifest's text, in the order of the text.
// [Parse] accepts exactly those texts in which Lint finds no [Error].
func Lint(data []byte) []Problem { return (*Options)(nil).Lint(data) }

// Load reads the manifest in a file, provided that nobody but its owner, who
// must be the caller or root, can have written it; see [ErrUntrusted]. A text
// with errors gives a *[SyntaxError] that names the file.
func Load(path string) (*Manifest, error) { return (*Options)(nil).Load(path) }

// Parse is the function [Parse] with these options.
func (o *Options) Parse(data []byte) (*Manifest, error) {
	m, problems := o.read(data)
	for _, p := range problems {
		if p.Severity == Error {
			return nil, &SyntaxError{Problem: p, Problems: problems}
		}
	}
	m.Warnings = problems
	return m, nil
}

// Lint is the function [Lint] with these options.
func (o *Options) Lint(data []byte) []Problem {
	_, problems := o.read(data)
	return problems
}
