package manifest

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	methodFields = []string{
		"description", "parameters", "returns", "async", "timeout", "idempotent", "cache",
		"permissions", "stream", "items", "concurrency", "deprecated", "errors",
	}
	cacheFields     = []string{"ttlMs", "key"}
	parameterFields = []string{"name", "type", "required", "default", "description", "validation", "schema", "elementType", "nullable"}
	returnsFields   = []string{"type", "description", "elementType", "nullable", "schema"}
)

var errorCode = shape{regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`), 255}

// serviceCodes are the codes, beside APP_…, that a service may answer.
var serviceCodes = []string{
	"ALREADY_EXISTS", "APP_ERROR", "CHANNEL_NOT_FOUND", "CONFLICT", "HANDLER_FAILED", "INVALID_ARGUMENT",
	"METHOD_NOT_FOUND", "NOT_FOUND", "SCHEMA_MISMATCH", "SERVICE_NOT_FOUND", "SHUTTING_DOWN", "UNIMPLEMENTED",
}

func (r *reader) method(at member) *Method {
	good := r.name(at, "method")
	r.methodName(at)
	o := r.object(at.value, "a method", methodFields)
	if o == nil {
		return nil
	}
	mt := &Method{
		Name:        at.name,
		Description: o.text("description"),
		Async:       o.flag("async"),
		Timeout:     o.millis("timeout", time.Millisecond, maxTimeout),
		Idempotent:  o.flag("idempotent"),
		Permissions: o.texts("permissions"),
		Stream:      choice(o, "stream", StreamNone, StreamServer, StreamClient, StreamBoth),
		Concurrency: int(o.whole("concurrency", 1, maxConnections)),
		Deprecated:  o.deprecated(),
	}
	mt.Parameters = r.parameters(o)
	if n := o.orNull("returns"); n != nil {
		mt.Returns = r.returns(n)
	}
	if n := o.orNull("items"); n != nil {
		mt.Items = r.items(n, mt)
	}
	if n := o.get("cache"); n != nil {
		mt.Cache = r.cache(n, mt)
	}
	mt.Errors = r.errors(o)
	if !good {
		return nil
	}
	return mt
}

// methodName warns of names that work on the wire and not everywhere else.
func (r *reader) methodName(at member) {
	path := at.value.pointer()
	switch {
	case slices.Contains(takenInJS, at.name):
		r.at(at.at, Warning, "js-name", path, "JavaScript clients have %s for themselves: this method is reached by $call only", quote(at.name))
	case slices.Contains(hiddenInJS, at.name):
		r.at(at.at, Warning, "js-name", path, "JavaScript and its tools ask any object for %s: this method is reached by $call only", quote(at.name))
	}
	if s := r.m.Service.Name; s != "" && nameProblem(at.name) == "" {
		if p := nameProblem(s + "." + at.name); p != "" {
			r.at(at.at, Error, "name", path, "the channel %s of this method %s", quote(s+"."+at.name), p)
		}
	}
}

// deprecated is the reason given by a string, or a standard one for true.
func (o *object) deprecated() string {
	n := o.get("deprecated")
	switch {
	case n == nil || n.kind == 'f':
		return ""
	case n.kind == 't':
		return "deprecated"
	case n.kind != '"':
		o.r.errorf(n, "type", `"deprecated" must be a boolean or a string that says why, not %s`, called(n.kind))
	}
	return n.text
}

func (r *reader) parameters(o *object) []*Parameter {
	list := o.kind("parameters", '[')
	if list == nil {
		return nil
	}
	if len(list.elems) > maxParameters {
		r.errorf(list, "too-large", "%d parameters, and %d are allowed: take an object", len(list.elems), maxParameters)
		return nil
	}
	out := []*Parameter{}
	optional := "" // the first optional parameter's name
	for _, e := range list.elems {
		p := r.parameter(e, out)
		if p == nil {
			continue
		}
		switch {
		case !p.Required && optional == "":
			optional = p.Name
		case p.Required && optional != "":
			r.errorf(e, "parameter-order", "the required parameter %s stands after the optional %s", quote(p.Name), quote(optional))
		}
		out = append(out, p)
	}
	return out
}

func (r *reader) parameter(n *node, before []*Parameter) *Parameter {
	o := r.object(n, "a parameter", parameterFields)
	if o == nil {
		return nil
	}
	p := &Parameter{Description: o.text("description")}
	if name := o.need("name"); name != nil && r.expect(name, '"', `"name"`) {
		p.Name = name.text
		if !isParameterName(p.Name) {
			r.errorf(name, "name", "the parameter name %s must be letters, digits, _ and -, starting with a letter or _", quote(p.Name))
		}
		if slices.ContainsFunc(before, func(b *Parameter) bool { return b.Name == p.Name }) {
			r.errorf(name, "duplicate-name", "a second parameter called %s", quote(p.Name))
		}
	}
	p.Type = r.shape(o)
	if v := o.get("validation"); v != nil {
		p.validation = r.validation(v)
		if p.validation != nil {
			p.Validation = p.validation.text
		}
	}
	r.required(o, p)
	return p
}

// required decides whether an argument may be left out.
func (r *reader) required(o *object, p *Parameter) {
	def := o.get("default")
	if def != nil {
		p.Default = r.compact(def)
	}
	n := o.kind("required", 't')
	if n == nil {
		p.Required = def == nil && !p.Type.Nullable
		return
	}
	p.Required = n.kind == 't'
	if p.Required && def != nil {
		r.warnf(def, "unused", "the default of a required parameter is never used")
	}
}

func (r *reader) returns(n *node) *Returns {
	o := r.object(n, `"returns"`, returnsFields)
	if o == nil {
		return nil
	}
	return &Returns{Description: o.text("description"), Type: r.shape(o)}
}

// items reads the type of what the caller streams.
func (r *reader) items(n *node, mt *Method) *Type {
	o := r.object(n, `"items"`, returnsFields)
	if o == nil {
		return nil
	}
	o.text("description")
	if mt.Stream != StreamClient && mt.Stream != StreamBoth {
		r.warnf(n, "unused", `"items" are what the caller streams, which it does with "stream": "client" or "both"`)
	}
	return r.shape(o)
}

func (r *reader) cache(n *node, mt *Method) *Cache {
	o := r.object(n, `"cache"`, cacheFields)
	if o == nil {
		return nil
	}
	c := &Cache{}
	if o.need("ttlMs") != nil {
		c.TTL = o.millis("ttlMs", time.Millisecond, 30*24*time.Hour)
	}
	keys := []*node{}
	if k := o.get("key"); k != nil && k.kind == '"' {
		keys = append(keys, k)
	} else if k := o.kind("key", '['); k != nil {
		keys = k.elems
	}
	for _, k := range keys {
		if !r.expect(k, '"', `each of "key"`) {
			continue
		}
		c.Key = append(c.Key, k.text)
		if names := mt.parameterNames(); mt.Parameters != nil && !slices.Contains(names, k.text) {
			r.errorf(k, "unknown-parameter", "the method has no parameter %s%s", quote(k.text), meant(k.text, names))
		}
	}
	return c
}

// errors reads a list of codes, each alone or with a description, or an object
// of descriptions by code.
func (r *reader) errors(o *object) []MethodError {
	n := o.get("errors")
	if n == nil {
		return nil
	}
	var out []MethodError
	switch n.kind {
	case '{':
		for _, m := range n.members {
			if r.expect(m.value, '"', "the description of an error") {
				out = append(out, MethodError{m.name, m.value.text})
				r.code(m.at, m.value.pointer(), m.name)
			}
		}
	case '[':
		for _, e := range n.elems {
			if me, ok := r.methodError(e); ok {
				out = append(out, me)
			}
		}
	default:
		r.errorf(n, "type", `"errors" must be an array of codes or an object of descriptions by code, not %s`, called(n.kind))
	}
	return out
}

func (r *reader) methodError(n *node) (MethodError, bool) {
	if n.kind == '"' {
		r.code(n.start, n.pointer(), n.text)
		return MethodError{Code: n.text}, true
	}
	o := r.object(n, "an error", []string{"code", "description"})
	if o == nil {
		return MethodError{}, false
	}
	me := MethodError{Description: o.text("description")}
	if c := o.need("code"); c != nil && r.expect(c, '"', `"code"`) {
		me.Code = c.text
		r.code(c.start, c.pointer(), c.text)
	}
	return me, true
}

// code judges an error code.
func (r *reader) code(offset int, path, code string) {
	switch {
	case !errorCode.fits(code):
		r.at(offset, Error, "code", path, "the error code %s must be capitals, digits and _", quote(code))
	case !strings.HasPrefix(code, "APP_") && !slices.Contains(serviceCodes, code):
		r.at(offset, Warning, "code", path, "a service cannot answer %s: its own codes start with APP_%s", quote(code), meant(code, serviceCodes))
	}
}

// finishMethod does what needs compiled schemas.
func (r *reader) finishMethod(mt *Method, at member) {
	if mt.Returns != nil {
		mt.Returns.Nullable = r.fits(mt.Returns.Type, []byte("null"))
	}
	list := at.value.get("parameters")
	for i, p := range mt.Parameters {
		p.takesNull = r.fits(p.Type, []byte("null"))
		if p.Required {
			mt.required |= 1 << i
		}
		if p.Default == nil || r.broken {
			continue
		}
		var f fail
		if p.check(p.Default, 0, true, &f) < 0 {
			r.errorf(list.elems[i].get("default"), "default", "the default does not fit: %s", f.violation("").Message)
		}
	}
}

// fits reports whether a value fits a type. Types of a text with errors may be
// unfinished, and then nothing fits them.
func (r *reader) fits(t *Type, value []byte) bool {
	var f fail
	return !r.broken && t.checkAll(value, &f)
}
