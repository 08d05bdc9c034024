package manifest

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestClosest(t *testing.T) {
	methods := []string{"createUser", "deleteUser", "getUserById", "getUsers", "on", "a"}
	for name, want := range map[string]string{
		"getUserByID":            "getUserById", // case is nothing
		"getuserbyid":            "getUserById",
		"getUesrById":            "getUserById", // exchanged
		"getUserByI":             "getUserById", // left out
		"getUserByIdd":           "getUserById", // added
		"getUser":                "getUsers",
		"cretaeUser":             "createUser",
		"eleteUser":              "deleteUser",
		"no":                     "on",
		"b":                      "", // nothing is left of it
		"":                       "",
		"fetchUser":              "",
		"completely":             "",
		"getUsers":               "", // it needs no suggestion, and the next is too far
		"ü":                      "",
		strings.Repeat("x", 1e6): "",
	} {
		if got := Closest(name, methods); got != want {
			t.Errorf("Closest(%q) = %q, want %q", short(name), got, want)
		}
	}
	if got := Closest("bat", []string{"cat", "hat"}); got != "cat" {
		t.Errorf("of equals the first is to be taken, not %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1},
		{"abcd", "badc", 2}, {"kitten", "sitting", 3}, {"ca", "abc", 3},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// Whatever the words: the distance is symmetric, nothing for equals, no more
// than the longer word, and one more letter is one more at most.
func TestDistanceLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[abc]{0,8}`)
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		d := distance(a, b)
		if d != distance(b, a) || (d == 0) != (a == b) || d > max(len(a), len(b)) {
			t.Fatalf("distance(%q, %q) = %d", a, b, d)
		}
		if e := distance(a+"a", b); e > d+1 || e < d-1 {
			t.Fatalf("distance jumps from %d to %d", d, e)
		}
	})
}
