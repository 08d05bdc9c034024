package manifest

// A binding gives the arguments of one request, whatever their form, to the
// parameters of a method, in one walk over the data. It lives on the caller's
// stack.
type binding struct {
	mt     *Method
	data   []byte
	checks bool     // whether each argument has to fit the type of its parameter
	out    [][]byte // a place for each parameter, to note where its argument is; nil if nobody asks
	seen   uint64   // bit set of the parameters that have been given an argument
	fail
}

// bind reports whether there is an argument for each parameter that needs one
// and none too many, and whether they fit, if that is asked.
func (bd *binding) bind() bool {
	mt, data := bd.mt, bd.data
	i := skipSpace(data, 0)
	if i == len(data) {
		return mt.complete(0, &bd.fail)
	}
	end := -1
	switch {
	case data[i] == '[':
		end = bd.array(i)
	case data[i] == '{' && len(mt.Parameters) != 1:
		end = bd.object(i)
	case len(mt.Parameters) == 0 && data[i] == 'n':
		end = skipScalar(data, i)
	case len(mt.Parameters) == 0:
		mt.tooMany(1, &bd.fail)
	default:
		end = bd.one(i, 0, true)
	}
	if end < 0 {
		return false
	}
	if skipSpace(data, end) != len(data) {
		bd.broken()
		return false
	}
	return mt.complete(bd.seen, &bd.fail)
}

// one gives the value at i to parameter k and is the position after it. whole
// says that the value is all of the data.
func (bd *binding) one(i, k int, whole bool) int {
	b := bd.data
	if i >= len(b) {
		return bd.broken()
	}
	p := bd.mt.Parameters[k]
	if b[i] == 'n' && !p.Required && !p.takesNull {
		return skipScalar(b, i)
	}
	var end int
	switch {
	case bd.checks:
		if end = p.check(b, i, whole, &bd.fail); end < 0 {
			bd.inMember(p.Name)
			return -1
		}
	case whole:
		end = skipWhole(b, i)
	default:
		end = skipValue(b, i)
	}
	if end < 0 {
		return bd.broken()
	}
	if bd.out != nil {
		bd.out[k] = b[i:end:end]
	}
	bd.seen |= 1 << k
	return end
}

// array gives the elements of the array at i to the parameters in their order.
func (bd *binding) array(i int) int {
	b, start := bd.data, i
	i, more := first(b, i, ']')
	for k := 0; more; k++ {
		if k == len(bd.mt.Parameters) {
			bd.mt.tooMany(count(b, start), &bd.fail)
			return -1
		}
		end := bd.one(i, k, false)
		if end < 0 {
			return -1
		}
		i, more = next(b, end, ']')
	}
	return bd.unbroken(i)
}

// object gives the members of the object at i to the parameters by their names.
func (bd *binding) object(i int) int {
	b := bd.data
	i, more := first(b, i, '}')
	for likely := 0; more; {
		name, value := memberName(b, i)
		if value < 0 {
			return bd.broken()
		}
		k := bd.mt.position(name, likely)
		if k < 0 {
			bd.mt.unknown(string(name), &bd.fail)
			return -1
		}
		end := bd.one(value, k, false)
		if end < 0 {
			return -1
		}
		likely = k + 1
		i, more = next(b, end, '}')
	}
	return bd.unbroken(i)
}

// check is like [Type.check], the validation included. whole says that the
// value is all that b has from i on.
func (p *Parameter) check(b []byte, i int, whole bool, f *fail) int {
	end := p.Type.checkWhole(b, i, whole, f)
	if end < 0 || p.validation == nil || b[i] == 'n' && p.Type.Nullable {
		return end
	}
	if !p.validation.check(b[i:end], f) {
		return -1
	}
	return end
}
