package manifest

import (
	"fmt"
	"strconv"
)

// Arguments arrive in one of four forms: an array is the positional arguments;
// a number, string, boolean or null is the single argument; an object is the
// single argument of a method with one parameter and the named arguments of a
// method with several; nothing is no arguments.

// CheckArguments reports, as a *[Violation], the first way in which a request's
// data does not fit the method's parameters. The data must be valid JSON, or
// empty for none. It allocates nothing when the data fits, unless a parameter
// has a validation or a full JSON Schema.
//
// A null in place of an optional argument counts as absent, since that is what
// JavaScript makes of f(undefined, 2).
func (mt *Method) CheckArguments(data []byte) error {
	if mt == nil || mt.Parameters == nil {
		return nil
	}
	var f fail
	if mt.bind(data, &f, nil) {
		return nil
	}
	return f.violation(rootParameter)
}

// Arguments brings a request's data into one form: the arguments in the order
// of the parameters, defaults in the place of absent ones, null in the place of
// an absent one without default that others follow, none for those absent at
// the end. The results share the memory of data and of the manifest.
//
// Only the form is looked at, not the types: that is for [Method.CheckArguments].
func (mt *Method) Arguments(data []byte) ([][]byte, error) {
	if mt == nil || mt.Parameters == nil {
		return undeclared(data)
	}
	var f fail
	args := make([][]byte, len(mt.Parameters))
	if !mt.bind(data, &f, args) {
		return nil, f.violation(rootParameter)
	}
	n := 0
	for i, p := range mt.Parameters {
		if args[i] == nil {
			args[i] = p.Default
		}
		if args[i] != nil {
			n = i + 1
		}
	}
	for i := range args[:n] {
		if args[i] == nil {
			args[i] = []byte("null")
		}
	}
	return args[:n], nil
}

// undeclared splits arguments of which nothing is known.
func undeclared(data []byte) ([][]byte, error) {
	i := skipSpace(data, 0)
	if i == len(data) {
		return nil, nil
	}
	if data[i] != '[' {
		return [][]byte{data}, nil
	}
	var args [][]byte
	i, more := first(data, i, ']')
	for more {
		end := skipValue(data, i)
		if end < 0 {
			break
		}
		args = append(args, data[i:end:end])
		i, more = next(data, end, ']')
	}
	if i < 0 || more {
		var f fail
		f.broken()
		return nil, f.violation(rootParameter)
	}
	return args, nil
}

// bind walks over the arguments, whatever their form, and gives each one to its
// parameter. Without out it checks each argument's type; with out, which has
// one place for each parameter, it only notes where each argument is.
func (mt *Method) bind(data []byte, f *fail, out [][]byte) bool {
	i := skipSpace(data, 0)
	if i == len(data) {
		return mt.complete(0, f)
	}
	var seen uint64
	end := -1
	switch {
	case data[i] == '[':
		end = mt.bindArray(data, i, f, out, &seen)
	case data[i] == '{' && len(mt.Parameters) != 1:
		end = mt.bindObject(data, i, f, out, &seen)
	case len(mt.Parameters) == 0 && data[i] == 'n':
		end = skipScalar(data, i)
	case len(mt.Parameters) == 0:
		mt.tooMany(1, f)
	default:
		end = mt.bindOne(data, i, 0, f, out, &seen)
	}
	if end < 0 {
		return false
	}
	if skipSpace(data, end) != len(data) {
		f.broken()
		return false
	}
	return mt.complete(seen, f)
}

// bindOne gives the value at i to parameter k and is the position after it.
func (mt *Method) bindOne(b []byte, i, k int, f *fail, out [][]byte, seen *uint64) int {
	if i >= len(b) {
		return f.broken()
	}
	p := mt.Parameters[k]
	if b[i] == 'n' && !p.Required && !p.takesNull {
		return skipScalar(b, i)
	}
	var end int
	if out == nil {
		if end = p.check(b, i, f); end < 0 {
			f.inMember(p.Name)
			return -1
		}
	} else {
		if end = f.unbroken(skipValue(b, i)); end < 0 {
			return -1
		}
		out[k] = b[i:end:end]
	}
	*seen |= 1 << k
	return end
}

// check is like [Type.check], the validation included.
func (p *Parameter) check(b []byte, i int, f *fail) int {
	end := p.Type.check(b, i, f)
	if end < 0 || p.validation == nil || b[i] == 'n' && p.Type.Nullable {
		return end
	}
	if !p.validation.check(b[i:end], f) {
		return -1
	}
	return end
}

func (mt *Method) bindArray(b []byte, i int, f *fail, out [][]byte, seen *uint64) int {
	start := i
	i, more := first(b, i, ']')
	for k := 0; more; k++ {
		if k == len(mt.Parameters) {
			mt.tooMany(count(b, start), f)
			return -1
		}
		end := mt.bindOne(b, i, k, f, out, seen)
		if end < 0 {
			return -1
		}
		i, more = next(b, end, ']')
	}
	return f.unbroken(i)
}

func (mt *Method) bindObject(b []byte, i int, f *fail, out [][]byte, seen *uint64) int {
	i, more := first(b, i, '}')
	for likely := 0; more; {
		name, value := memberName(b, i)
		if value < 0 {
			return f.broken()
		}
		k := mt.position(name, likely)
		if k < 0 {
			mt.unknown(string(name), f)
			return -1
		}
		end := mt.bindOne(b, value, k, f, out, seen)
		if end < 0 {
			return -1
		}
		likely = k + 1
		i, more = next(b, end, '}')
	}
	return f.unbroken(i)
}

// position is the index of the parameter of that name, -1 if there is none.
func (mt *Method) position(name []byte, likely int) int {
	if likely < len(mt.Parameters) && mt.Parameters[likely].Name == string(name) {
		return likely
	}
	for k, p := range mt.Parameters {
		if p.Name == string(name) {
			return k
		}
	}
	return -1
}

// complete reports whether all required parameters are among those seen.
func (mt *Method) complete(seen uint64, f *fail) bool {
	missing := mt.required &^ seen
	if missing == 0 {
		return true
	}
	for k, p := range mt.Parameters {
		if missing>>k&1 == 1 {
			f.rule, f.expected, f.got = "required", p.Type.brief(), "nothing"
			f.inMember(p.Name)
			return false
		}
	}
	return true
}

// tooMany notes that there are n arguments and not so many parameters.
func (mt *Method) tooMany(n int, f *fail) {
	most := len(mt.Parameters)
	f.rule, f.got = "arguments", counted(n)
	switch most {
	case 0:
		f.expected = "no arguments"
	default:
		f.expected = "at most " + counted(most)
	}
	f.note = fmt.Sprintf("too many arguments: expected %s, got %d", f.expected, n)
	if most == 1 && mt.Parameters[0].Type.takes(KindArray) {
		f.hint = "an array is the list of arguments, so an array as the argument is sent as [[…]]"
	}
}

// unknown notes a named argument that no parameter has the name of.
func (mt *Method) unknown(name string, f *fail) {
	f.rule, f.got = "unknown", short(name)
	f.note = "unknown argument " + strconv.Quote(f.got)
	names := mt.parameterNames()
	if near := Closest(name, names); near != "" {
		f.hint = "did you mean " + strconv.Quote(near) + "?"
	} else if len(names) == 0 {
		f.note += ": the method takes none"
	}
	f.inMember(f.got)
}

func (mt *Method) parameterNames() []string {
	names := make([]string, len(mt.Parameters))
	for i, p := range mt.Parameters {
		names[i] = p.Name
	}
	return names
}

// counted is a number of arguments in words.
func counted(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return strconv.Itoa(n) + " arguments"
}

// count is the number of elements of the array at i.
func count(b []byte, i int) int {
	n := 0
	i, more := first(b, i, ']')
	for more {
		n++
		end := skipValue(b, i)
		if end < 0 {
			break
		}
		i, more = next(b, end, ']')
	}
	return n
}

// takes reports whether values of a kind can fit.
func (t *Type) takes(k Kind) bool {
	switch t.Kind {
	case KindAny, KindSchema:
		return true
	case KindNamed:
		return t.Target.takes(k)
	}
	return t.Kind == k
}

// CheckResult reports, as a *[Violation], the first way in which a method's
// answer is not what the manifest promises. Empty data is an absent answer,
// which fits where null would. Like CheckArguments it allocates nothing when
// the answer fits.
func (mt *Method) CheckResult(data []byte) error {
	if mt == nil || mt.Returns == nil {
		return nil
	}
	var f fail
	if skipSpace(data, 0) == len(data) && mt.Returns.Nullable || mt.Returns.Type.checkAll(data, &f) {
		return nil
	}
	return f.violation(rootResult)
}

// CheckItem reports, as a *[Violation], the first way in which one value of
// those that the caller streams is not what the manifest asks for.
func (mt *Method) CheckItem(data []byte) error {
	if mt == nil || mt.Items == nil {
		return nil
	}
	var f fail
	if mt.Items.checkAll(data, &f) {
		return nil
	}
	return f.violation("an item")
}

// Check reports, as a *[Violation], the first way in which published data is
// not what the manifest promises of the event.
func (e *Event) Check(data []byte) error {
	if e == nil || e.Type == nil {
		return nil
	}
	var f fail
	if e.Type.checkAll(data, &f) {
		return nil
	}
	return f.violation("event " + e.Name)
}
