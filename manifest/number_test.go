package manifest

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestInteger(t *testing.T) {
	for _, c := range []struct {
		lit         string
		whole, safe bool
	}{
		{"0", true, true}, {"-0", true, true}, {"1", true, true}, {"-1", true, true},
		{"9007199254740991", true, true}, {"-9007199254740991", true, true},
		{"9007199254740992", true, false}, {"-9007199254740992", true, false}, {"9007199254740993", true, false},
		{"99999999999999999999999999999", true, false},
		{"1.0", true, true}, {"1.5", false, false}, {"-0.0", true, true}, {"0.1", false, false},
		{"1e3", true, true}, {"1E+3", true, true}, {"10e-1", true, true}, {"1e-1", false, false},
		{"1.25e2", true, true}, {"1.25e1", false, false}, {"0e999999999999", true, true},
		{"1e15", true, true}, {"1e16", true, false}, {"9.007199254740991e15", true, true},
		{"9.007199254740992e15", true, false}, {"1e400", true, false}, {"1e-400", false, false},
		{"1e99999999999999999999", true, false}, {"1e-99999999999999999999", false, false},
		{"1000000000000000000000e-20", true, true}, {"1000000000000000000001e-20", false, false},
		{"0.00000000000000000000001e23", true, true},
		{strings.Repeat("9", 1000), true, false}, {"1" + strings.Repeat("0", 300) + "e-300", true, true},
	} {
		whole, safe := integer([]byte(c.lit))
		if whole != c.whole || whole && safe != c.safe {
			t.Errorf("%s: whole %v, safe %v", short(c.lit), whole, safe)
		}
	}
}

// Exact arithmetic is the judge of all numbers small enough for it.
func TestIntegerAgainstRationals(t *testing.T) {
	most := new(big.Rat).SetInt64(maxSafe)
	rapid.Check(t, func(t *rapid.T) {
		lit := rapid.StringMatching(`-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,5}|\.0{1,20})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
		r, ok := new(big.Rat).SetString(lit)
		if !ok {
			t.Fatalf("%q is no number", lit)
		}
		whole, safe := integer([]byte(lit))
		if whole != r.IsInt() || whole && safe != (r.Abs(r).Cmp(most) <= 0) {
			t.Fatalf("%s: whole %v, safe %v", lit, whole, safe)
		}
	})
}

func TestIsFinite(t *testing.T) {
	for lit, want := range map[string]bool{
		"1": true, "-1.5e3": true, "1e308": true, "1.7976931348623157e308": true, "1.8e308": false, "1e309": false,
		"-1e400": false, "1e-400": true, "1e99999999999": false, "0e400": true,
		"1" + strings.Repeat("0", 307): true, "1" + strings.Repeat("0", 310): false,
		"0." + strings.Repeat("1", 400): true,
	} {
		if got := isFinite([]byte(lit)); got != want {
			t.Errorf("isFinite(%s) = %v", short(lit), got)
		}
	}
}

func TestTame(t *testing.T) {
	for text, want := range map[string]bool{
		`[1, -2.5e10, "1e999999999", true, null]`: true,
		`{"a": 1e999999999}`:                      false,
		`{"a": [1e-999999999]}`:                   false,
		`1e+401`:                                  false,
		`1e400`:                                   true,
		strings.Repeat("1", 801):                  false,
		`"unfinished`:                             false,
	} {
		if got := tame([]byte(text)); got != want {
			t.Errorf("tame(%s) = %v", short(text), got)
		}
	}
}
