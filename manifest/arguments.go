package manifest

import (
	"fmt"
	"slices"
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
	bd := binding{mt: mt, data: data, checks: true}
	if bd.bind() {
		return nil
	}
	return bd.violation(rootParameter)
}

// Arguments brings a request's data into one form: the arguments in the order
// of the parameters, defaults in the place of absent ones, null in the place of
// an absent one without default that others follow, none for those absent at
// the end. The results share the memory of data and of the manifest. The data
// must be valid JSON, or empty for none.
//
// Only the form is looked at, not the types: that is for [Method.CheckArguments],
// or for [Method.Bind], which does both.
func (mt *Method) Arguments(data []byte) ([][]byte, error) {
	return mt.arguments(data, nil, false)
}

// Bind does the work of [Method.CheckArguments] and of [Method.Arguments] in
// one walk over the data, which must be valid JSON, or empty for none. It
// appends the arguments to dst and returns it, or nil and a *[Violation]; with
// room in dst for all parameters it allocates nothing when the data fits,
// unless a parameter has a validation or a full JSON Schema. Arguments of
// undeclared parameters are only split.
func (mt *Method) Bind(data []byte, dst [][]byte) ([][]byte, error) {
	return mt.arguments(data, dst, true)
}

func (mt *Method) arguments(data []byte, dst [][]byte, checks bool) ([][]byte, error) {
	if mt == nil || mt.Parameters == nil {
		return undeclared(data, dst)
	}
	n, all := len(dst), len(dst)+len(mt.Parameters)
	dst = slices.Grow(dst, len(mt.Parameters))[:all]
	clear(dst[n:])
	bd := binding{mt: mt, data: data, checks: checks, out: dst[n:]}
	if !bd.bind() {
		return nil, bd.violation(rootParameter)
	}
	return dst[:n+mt.fill(dst[n:])], nil
}

// null stands for an argument that is absent while others follow.
var null = []byte("null")

// fill puts defaults in the place of absent arguments, and returns how many
// there are up to the last one that is not absent.
func (mt *Method) fill(args [][]byte) int {
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
			args[i] = null[:len(null):len(null)]
		}
	}
	return n
}

// undeclared splits arguments of which nothing is known.
func undeclared(data []byte, dst [][]byte) ([][]byte, error) {
	i := skipSpace(data, 0)
	if i == len(data) {
		return dst, nil
	}
	if data[i] != '[' {
		return append(dst, data), nil
	}
	i, more := first(data, i, ']')
	for more {
		end := skipValue(data, i)
		if end < 0 {
			break
		}
		dst = append(dst, data[i:end:end])
		i, more = next(data, end, ']')
	}
	if i < 0 || more {
		var f fail
		f.broken()
		return nil, f.violation(rootParameter)
	}
	return dst, nil
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
// answer is not what the manifest promises. The data must be valid JSON, or
// empty for an absent answer, which fits where null would. Like CheckArguments
// it allocates nothing when the answer fits.
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
// not what the manifest promises of the event. The data must be valid JSON.
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
