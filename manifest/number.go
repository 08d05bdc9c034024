package manifest

import "strconv"

// maxSafe is the greatest whole number that a double, and so a JavaScript
// peer, holds exactly along with all smaller ones.
const maxSafe = 1<<53 - 1

// isNumber reports whether a value that starts with c is a number.
func isNumber(c byte) bool { return c == '-' || '0' <= c && c <= '9' }

// isFinite reports whether a number survives the way into a double: 1e400
// would silently become infinity.
func isFinite(lit []byte) bool {
	// A double reaches to 10^308.
	const safeDigits = 308
	exponent := false
	for _, c := range lit {
		if c|0x20 == 'e' {
			exponent = true
			break
		}
	}
	if !exponent && len(lit) <= safeDigits {
		return true
	}
	_, err := strconv.ParseFloat(string(lit), 64)
	return err == nil
}

// integer reports whether a number is whole, and whether it is within
// ±maxSafe. 1.0 and 1e3 are whole, as JSON Schema has it.
func integer(lit []byte) (whole, safe bool) {
	i := 0
	if len(lit) > 0 && lit[0] == '-' {
		i = 1
	}
	// Up to 15 digits and nothing else: nearly always.
	digits := lit[i:]
	if len(digits) <= 15 && allDigits(digits) {
		return len(digits) > 0, true
	}
	return integerSlow(digits)
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// integerSlow works on decimal text throughout, so nothing is rounded: the
// number is digits × 10^exp once the point is taken out.
func integerSlow(lit []byte) (whole, safe bool) {
	var (
		value    uint64 // of the significant digits so far
		zeros    int    // zeros seen since the last significant digit
		exp      int    // of the digits counted so far
		overflow bool
		point    bool
	)
	i := 0
	for ; i < len(lit); i++ {
		c := lit[i]
		if c == '.' {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		if point {
			exp--
		}
		if c == '0' {
			zeros++
			continue
		}
		for ; zeros > 0 && value > 0 && !overflow; zeros-- {
			value, overflow = timesTen(value, 0)
		}
		zeros = 0
		if !overflow {
			value, overflow = timesTen(value, uint64(c-'0'))
		}
	}
	if value == 0 && !overflow {
		return true, true
	}
	exp += zeros // trailing zeros belong to the exponent
	exp += exponent(lit[i:])
	if exp < 0 {
		return false, false
	}
	for ; exp > 0 && !overflow; exp-- {
		value, overflow = timesTen(value, 0)
	}
	return true, !overflow && value <= maxSafe
}

// timesTen appends a digit; overflow means that the result is beyond maxSafe
// by far.
func timesTen(v, digit uint64) (uint64, bool) {
	if v > maxSafe {
		return v, true
	}
	return v*10 + digit, false
}

// exponent is the value of "e+12"; text beyond any sensible exponent counts as
// a million.
func exponent(b []byte) int {
	const absurd = 1_000_000
	if len(b) == 0 {
		return 0
	}
	b = b[1:]
	sign := 1
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		if b[0] == '-' {
			sign = -1
		}
		b = b[1:]
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		if n = n*10 + int(c-'0'); n > absurd {
			n = absurd
		}
	}
	return sign * n
}
