package manifest

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// reader turns the tree of a text into a manifest and reports what is wrong on
// the way. It always goes on to the end: an author wants all errors at once.
type reader struct {
	*report
	options *Options
	m       *Manifest
	schemas []*schema

	typeNames []string // built-in and declared, sorted, once they are needed
	hinted    int      // suggestions of types made so far
	compared  int      // events compared with patterns so far
	keywords  int      // objects inside of full schemas so far

	unaffordable bool // that there is too much JSON Schema is reported
	broken       bool // errors were found before [reader.afterwards], so types may be unfinished
}

// variants are field names seen in the wild for what is called otherwise here.
var variants = map[string]string{"isAsync": "async", "dataType": "schema"}

// read is the common half of Parse and Lint. The manifest is complete only if
// no problem is an error.
func (o *Options) read(data []byte) (*Manifest, []Problem) {
	r := &reader{report: &report{text: data}, options: o, m: &Manifest{}}
	if most := o.maxSize(); len(data) > most {
		r.at(0, Error, "too-large", "", "the manifest has %d bytes, and %d are allowed", len(data), most)
		return nil, r.sorted()
	}
	root := parseTree(r.report)
	if root == nil {
		return nil, r.sorted()
	}
	r.manifest(root)
	if r.count[Error] == 0 {
		r.m.raw = r.compact(root)
	}
	return r.m, r.sorted()
}

// compact is a copy of the value's own text without insignificant space.
func (r *reader) compact(n *node) []byte {
	text := jsontext.Value(slices.Clone(r.report.text[n.start:n.end]))
	// It fails on nothing but duplicate names, which are reported already.
	_ = text.Compact(jsontext.AllowDuplicateNames(true))
	return slices.Clip(text)
}

var manifestFields = []string{"$schema", "service", "methods", "events", "channels", "types"}

func (r *reader) manifest(root *node) {
	m := r.m
	o := r.object(root, "the manifest", manifestFields)
	if o == nil {
		return
	}
	o.text("$schema")
	// Types come first: everything else may name them.
	r.types(o.get("types"))
	if n := o.need("service"); n != nil {
		r.service(n)
	}
	m.Methods = readEach(r, o, "methods", r.method)
	m.Events = readEach(r, o, "events", r.event)
	m.Channels = readEach(r, o, "channels", r.channel)
	r.compileSchemas()
	r.broken = r.count[Error] > 0
	r.afterwards(o)
}

// afterwards looks at what can be judged only when all is read.
func (r *reader) afterwards(o *object) {
	m := r.m
	m.methods = slices.Sorted(maps.Keys(m.Methods))
	m.events = slices.Sorted(maps.Keys(m.Events))
	m.channels = slices.Sorted(maps.Keys(m.Channels))
	for _, at := range o.each("methods") {
		if mt := m.Methods[at.name]; mt != nil {
			r.finishMethod(mt, at)
		}
	}
	for _, at := range o.each("channels") {
		if c := m.Channels[at.name]; c != nil {
			r.checkBundles(c, at.value)
		}
	}
	r.checkShared(o)
}

// readEach reads the members of a map-like field, leaving out those whose name
// is bad.
func readEach[T any](r *reader, o *object, field string, read func(member) *T) map[string]*T {
	out := map[string]*T{}
	o.kind(field, '{')
	for _, at := range o.each(field) {
		if v := read(at); v != nil {
			out[at.name] = v
		}
	}
	return out
}

// object gives the fields of an object by name.
type object struct {
	r *reader
	n *node
}

// object is the value as an object whose fields are looked at here; unknown
// ones are warned of. It is nil, and reported, if the value is something else.
func (r *reader) object(n *node, what string, fields []string) *object {
	if !r.expect(n, '{', what) {
		return nil
	}
	for _, m := range n.members {
		if slices.Contains(fields, m.name) || strings.HasPrefix(m.name, "x-") {
			continue
		}
		if now, ok := variants[m.name]; ok && slices.Contains(fields, now) {
			r.at(m.at, Warning, "deprecated-spelling", m.value.pointer(), "%s is an old spelling: write %s", quote(m.name), quote(now))
			if n.get(now) != nil {
				r.at(m.at, Warning, "unused", m.value.pointer(), "%s is ignored beside %s", quote(m.name), quote(now))
			}
			continue
		}
		r.at(m.at, Warning, "unknown-field", m.value.pointer(), "unknown field %s%s", quote(m.name), meant(m.name, fields))
	}
	return &object{r, n}
}

// expect reports whether the value is of that kind, and an error if it is not.
func (r *reader) expect(n *node, kind jsontext.Kind, what string) bool {
	if n.kind == kind || kind == 't' && n.kind == 'f' {
		return true
	}
	r.errorf(n, "type", "%s must be %s, not %s", what, called(kind), called(n.kind))
	return false
}

// get is the field's value under its own or an older name, nil if it is absent.
func (o *object) get(name string) *node {
	if n := o.n.get(name); n != nil {
		return n
	}
	for old, now := range variants {
		if now == name {
			return o.n.get(old)
		}
	}
	return nil
}

// orNull is like get, null counting as absent.
func (o *object) orNull(name string) *node {
	if n := o.get(name); n != nil && n.kind != 'n' {
		return n
	}
	return nil
}

// need is the value of a field that must be there.
func (o *object) need(name string) *node {
	n := o.get(name)
	if n == nil {
		o.r.errorf(o.n, "required", "the field %s is missing", quote(name))
	}
	return n
}

// each is the members of a map-like field.
func (o *object) each(name string) []member {
	n := o.n.get(name)
	if n == nil || n.kind != '{' {
		return nil
	}
	return n.members
}

// kind is the field's value if it is of that kind; another is reported.
func (o *object) kind(name string, kind jsontext.Kind) *node {
	if n := o.get(name); n != nil && o.r.expect(n, kind, quote(name)) {
		return n
	}
	return nil
}

func (o *object) text(name string) string {
	if n := o.kind(name, '"'); n != nil {
		return n.text
	}
	return ""
}

func (o *object) flag(name string) bool {
	n := o.kind(name, 't')
	return n != nil && n.kind == 't'
}

// whole is an integer field within bounds, 0 when absent.
func (o *object) whole(name string, least, most int64) int64 {
	if n := o.kind(name, '0'); n != nil {
		return o.r.whole(n, name, least, most)
	}
	return 0
}

func (r *reader) whole(n *node, name string, least, most int64) int64 {
	v, err := strconv.ParseFloat(n.text, 64)
	if err != nil || v != math.Trunc(v) {
		r.errorf(n, "type", "%s must be a whole number, not %s", quote(name), clip([]byte(n.text)))
		return 0
	}
	if v < float64(least) || v > float64(most) {
		r.errorf(n, "range", "%s must be from %d to %d, not %s", quote(name), least, most, clip([]byte(n.text)))
		return 0
	}
	return int64(v)
}

// millis is a duration field given in milliseconds.
func (o *object) millis(name string, least, most time.Duration) time.Duration {
	return time.Duration(o.whole(name, least.Milliseconds(), most.Milliseconds())) * time.Millisecond
}

// texts is a field that is a list of strings of which each says something.
func (o *object) texts(name string) []string {
	return o.strings(name, 1)
}

// strings is a field that is a list of strings of so many bytes at least.
func (o *object) strings(name string, least int) []string {
	n := o.kind(name, '[')
	if n == nil {
		return nil
	}
	var out []string
	for _, e := range n.elems {
		if !o.r.expect(e, '"', "each of "+quote(name)) {
			continue
		}
		if len(e.text) < least {
			o.r.errorf(e, "empty", "each of %s must say something", quote(name))
			continue
		}
		out = append(out, e.text)
	}
	return out
}

// choice is a field that has one of a few values; the first of them is meant
// when it is absent.
func choice[T ~string](o *object, name string, values ...T) T {
	n := o.kind(name, '"')
	if n == nil {
		return values[0]
	}
	names := make([]string, len(values))
	for i, v := range values {
		if string(v) == n.text && v != "" {
			return v
		}
		names[i] = string(v)
	}
	names = slices.DeleteFunc(names, func(s string) bool { return s == "" })
	o.r.errorf(n, "value", "unknown %s %s%s (one of %s)", name, quote(n.text), meant(n.text, names), strings.Join(names, ", "))
	return values[0]
}

// name reports whether a name, which stands at the member's place, is good;
// otherwise it says what is wrong with it.
func (r *reader) name(at member, what string) bool {
	if p := nameProblem(at.name); p != "" {
		r.at(at.at, Error, "name", at.value.pointer(), "the %s name %s %s", what, quote(at.name), p)
		return false
	}
	return true
}

// unreserved reports whether a name may be used by a service; otherwise it
// says why not.
func (r *reader) unreserved(offset int, path, what, name string) bool {
	if !isReserved(name) || r.options.allowReserved() {
		return true
	}
	hint := ""
	if rest, ok := strings.CutPrefix(name, "events."); ok && rest != "" {
		hint = ": the channel prefix is not part of the name, write " + quote(rest)
	}
	r.at(offset, Error, "reserved", path, "the %s name %s starts with a reserved token (%s)%s", what, quote(name), strings.Join(reservedTokens, ", "), hint)
	return false
}
