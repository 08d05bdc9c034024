package filter

import "cmp"

// number is a number of JSON, read far enough for most comparisons: its digits
// without sign and point, and how many there are behind the point. That means
// nothing unless the number is plain.
type number struct {
	digits   uint64
	fraction int32
	negative bool
	plain    bool // without an exponent, and of so few digits that they fit
	short    bool // plain, and of 15 digits at most
}

const (
	plainDigits = 19 // of any such number the digits fit into an uint64
	shortDigits = 15 // two such numbers are equal as doubles only if they are equal
)

// readNumber reads the number at i and returns its end as well. What is no
// number has its end anywhere, but not before i.
func readNumber(data []byte, i int) (n number, end int) {
	if n.negative = i < len(data) && data[i] == '-'; n.negative {
		i++
	}
	first := i
	var digits uint64
	for ; i < len(data) && isDigit(data[i]); i++ {
		digits = digits*10 + uint64(data[i]-'0')
	}
	count := i - first
	if i < len(data) && data[i] == '.' {
		first = i + 1
		for i = first; i < len(data) && isDigit(data[i]); i++ {
			digits = digits*10 + uint64(data[i]-'0')
		}
		count += i - first
		n.fraction = int32(i - first)
	}
	n.digits = digits
	n.plain = count <= plainDigits
	if i < len(data) && data[i]|0x20 == 'e' {
		n.plain = false
		for i++; i < len(data) && (isDigit(data[i]) || data[i] == '+' || data[i] == '-'); i++ {
		}
	}
	n.short = n.plain && count <= shortDigits
	return n, i
}

// powers of ten that a double has exactly.
var powers = [shortDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// compare is negative, 0 or positive as a is less than, equal to or more than
// b: as whole numbers where that can be, or as doubles where these are as exact.
// It is not known by these means of every two numbers.
func (a *number) compare(b *number) (order int, known bool) {
	switch {
	case a.plain && b.plain && a.fraction == b.fraction:
		return compareSigned(a.negative, b.negative, cmp.Compare(a.digits, b.digits), a.digits == 0, b.digits == 0), true
	case a.short && b.short:
		return cmp.Compare(a.double(), b.double()), true
	}
	return 0, false
}

// double is the double next to a short number.
func (a *number) double() float64 {
	d := float64(a.digits) / powers[a.fraction]
	if a.negative {
		return -d
	}
	return d
}

// compareSigned orders two numbers whose sizes have that order. A zero has no
// sign.
func compareSigned(aNegative, bNegative bool, sizes int, aZero, bZero bool) int {
	aNegative, bNegative = aNegative && !aZero, bNegative && !bZero
	switch {
	case aNegative && bNegative:
		return -sizes
	case aNegative:
		return -1
	case bNegative:
		return 1
	}
	return sizes
}

// decimal is a number as 0.DIGITS × 10^point, the digits being those of two
// texts. The first is not 0, unless there are none.
type decimal struct {
	negative     bool
	front, after []byte
	point        int64
}

func readDecimal(text []byte) (d decimal) {
	i := 0
	if d.negative = i < len(text) && text[i] == '-'; d.negative {
		i++
	}
	d.front, i = run(text, i)
	if i < len(text) && text[i] == '.' {
		d.after, i = run(text, i+1)
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		d.point = readExponent(text[i+1:])
	}
	for len(d.front) > 0 && d.front[0] == '0' {
		d.front = d.front[1:]
	}
	d.point += int64(len(d.front))
	if len(d.front) == 0 {
		for len(d.after) > 0 && d.after[0] == '0' {
			d.after = d.after[1:]
			d.point--
		}
	}
	return d
}

// run is the digits at i, and where they end.
func run(text []byte, i int) (digits []byte, end int) {
	end = i
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	return text[i:end], end
}

// readExponent reads an exponent. One beyond all reason is as good as any
// other such.
func readExponent(text []byte) (e int64) {
	const enough = 1 << 40
	negative := false
	for _, c := range text {
		switch {
		case c == '-':
			negative = true
		case isDigit(c) && e < enough:
			e = e*10 + int64(c-'0')
		}
	}
	e = min(e, enough)
	if negative {
		return -e
	}
	return e
}

// isZero reports whether d has no digits but zeros, which are all in after.
func (d *decimal) isZero() bool { return len(d.front) == 0 && len(d.after) == 0 }

// at is the digit at i, 0 beyond the last.
func (d *decimal) at(i int) byte {
	if i < len(d.front) {
		return d.front[i]
	}
	if i -= len(d.front); i < len(d.after) {
		return d.after[i]
	}
	return '0'
}

// compareDecimals compares two numbers of any length.
func compareDecimals(a, b []byte) int {
	x, y := readDecimal(a), readDecimal(b)
	return compareSigned(x.negative, y.negative, compareSizes(&x, &y), x.isZero(), y.isZero())
}

func compareSizes(x, y *decimal) int {
	switch {
	case x.isZero() && y.isZero():
		return 0
	case x.isZero():
		return -1
	case y.isZero():
		return 1
	case x.point != y.point:
		return cmp.Compare(x.point, y.point)
	}
	for i := range max(len(x.front)+len(x.after), len(y.front)+len(y.after)) {
		if order := cmp.Compare(x.at(i), y.at(i)); order != 0 {
			return order
		}
	}
	return 0
}
