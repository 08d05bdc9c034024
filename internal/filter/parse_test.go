package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ekkojs/ipc/wire"
)

// TestParseErrors: whoever mistypes a filter learns where, and what to write.
func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ filter, want string }{
		{``, `column 1: expected a field, found the end`},
		{"  ", `column 3: expected a field, found the end`},
		{`a ==`, `column 5: expected a value, found the end`},
		{`a = 1`, `column 3: expected an operator, && or ||, found "=": did you mean "=="?`},
		{`a === 1`, `column 3: expected an operator, && or ||, found "===": did you mean "=="?`},
		{`a !== 1`, `column 3: expected an operator, && or ||, found "!==": did you mean "!="?`},
		{`a <> 1`, `column 3: expected an operator, && or ||, found "<>": did you mean "!="?`},
		{`a => 1`, `column 3: expected an operator, && or ||, found "=>": did you mean ">="?`},
		{`a =< 1`, `column 3: expected an operator, && or ||, found "=<": did you mean "<="?`},
		{`a & b`, `column 3: expected an operator, && or ||, found "&": did you mean "&&"?`},
		{`a | b`, `column 3: expected an operator, && or ||, found "|": did you mean "||"?`},
		{`a and b`, `column 3: expected an operator, && or ||, found "and": did you mean "&&"?`},
		{`a OR b`, `column 3: expected an operator, && or ||, found "OR": did you mean "||"?`},
		{`not a`, `column 5: expected an operator, found "a": did you mean "!" for "not"?`},
		{`a =~ 'x'`, `column 3: expected an operator, && or ||, found "=~": did you mean "contains"?`},
		{`a startswith 'x'`, `column 3: expected an operator, && or ||, found "startswith": did you mean "startsWith"?`},
		{`a startWith 'x'`, `column 3: expected an operator, && or ||, found "startWith": did you mean "startsWith"?`},
		{`a starts_with 'x'`, `column 3: expected an operator, && or ||, found "starts_with": did you mean "startsWith"?`},
		{`a contain 'x'`, `column 3: expected an operator, && or ||, found "contain": did you mean "contains"?`},
		{`a hasPrefix 'x'`, `column 3: expected an operator, && or ||, found "hasPrefix": did you mean "startsWith"?`},
		{`a like 'x'`, `column 3: expected an operator, && or ||, found "like": did you mean "contains"?`},
		{`a foo 1`, `column 3: expected an operator, && or ||, found "foo"`},
		{`country == DE`, `column 12: expected a value, found "DE": a text needs quotes, which a shell may have taken away`},
		{`paid == True`, `column 9: expected a value, found "True": did you mean "true"?`},
		{`paid == treu`, `column 9: expected a value, found "treu": did you mean "true"?`},
		{`a == undefined`, `column 6: expected a value, found "undefined": a text needs quotes, which a shell may have taken away`},
		{`"DE" == country`, `column 1: expected a field, found a text: the field stands first, the value after it`},
		{`5 < a`, `column 1: expected a field, found a number: the field stands first, the value after it`},
		{`-5 < a`, `column 1: expected a field, found a number: the field stands first, the value after it`},
		{`true`, `column 1: expected a field, found true: a field of that name is written ["true"]`},
		{`null == a`, `column 1: expected a field, found null: a field of that name is written ["null"]`},
		{`a < true`, `column 5: expected a number or a text after <, found true`},
		{`a >= null`, `column 6: expected a number or a text after >=, found null`},
		{`a contains 5`, `column 12: expected a text after contains, found 5`},
		{`a startsWith b`, `column 14: expected a value, found "b": a text needs quotes, which a shell may have taken away`},
		{`a in (1,2)`, `column 6: expected [ after in, found "("`},
		{`a in [1 2]`, `column 9: expected , or ], found a number`},
		{`a in [1,`, `column 9: expected a value, found the end`},
		{`a in [1,]`, `column 9: expected a value, found "]"`},
		{`a in 1`, `column 6: expected [ after in, found a number`},
		{`exists(`, `column 8: expected a field, found the end`},
		{`exists()`, `column 8: expected a field, found ")"`},
		{`exists(a`, `column 9: expected ), found the end`},
		{`exists(a.b,`, `column 11: expected ), found ","`},
		{`(a`, `column 3: expected &&, || or ), found the end`},
		{`(a &&`, `column 6: expected a field, found the end`},
		{`a)`, `column 2: expected &&, || or the end, found ")"`},
		{`a && `, `column 6: expected a field, found the end`},
		{`&& a`, `column 1: expected a field, found "&&"`},
		{`!`, `column 2: expected a field, found the end`},
		{`!a == 1`, `column 4: expected && or || after a field with !: what ! is about needs parentheses, as in !(a == …)`},
		{`!a startsWith 'x'`, `column 4: expected && or || after a field with !: what ! is about needs parentheses, as in !(a startsWith …)`},
		{`!(a == 1`, `column 9: expected &&, || or ), found the end`},
		{`a.`, `column 3: expected a name after the dot, found the end`},
		{`a.0`, `column 3: expected a name after the dot, found 0: did you mean "[0]"?`},
		{`items.0.name`, `column 7: expected a name after the dot, found 0: did you mean "[0]"?`},
		{`a.[0]`, `column 3: expected a name after the dot, found "["`},
		{`a[`, `column 3: expected an index, or a name in quotes, found the end`},
		{`a[]`, `column 3: expected an index, or a name in quotes, found "]"`},
		{`a[x]`, `column 3: expected an index, or a name in quotes, found "x"`},
		{`a[-1]`, `column 3: expected an index, or a name in quotes, found a number`},
		{`a[1.5]`, `column 4: expected ], found "."`},
		{`a[1`, `column 4: expected ], found the end`},
		{`a[12345678901]`, `column 3: the index 12345678901 is too large`},
		{`a['x'`, `column 6: expected ], found the end`},
		{`a [0]`, `column 3: expected an operator, && or ||, found "["`},
		{`a . b`, `column 3: expected an operator, && or ||, found "."`},
		{`a == 01`, `column 6: expected a number without leading zeros, found "01"`},
		{`a == 1.`, `column 8: expected a digit, found the end`},
		{`a == -`, `column 7: expected a digit, found the end`},
		{`a == .5`, `column 6: expected a value, found "."`},
		{`a == +1`, `column 6: expected a value, found "+"`},
		{`a == 1e`, `column 8: expected a digit, found the end`},
		{`a == 0x10`, `column 6: expected a number, found "0x10": a text needs quotes`},
		{`a == 2026-11-25`, `column 6: expected a number, found "2026-11-25": a text needs quotes`},
		{`a == 1.2.3`, `column 6: expected a number, found "1.2.3": a text needs quotes`},
		{`a == 'x`, `column 6: a text without its closing '`},
		{`a == "x\`, `column 8: expected an escape of JSON, found "\\"`},
		{`a == 'x\q'`, `column 8: expected an escape of JSON, found "\\q'"`},
		{`a == '\ud800'`, `column 7: expected an escape of JSON, found "\\ud800"`},
		{`a == '\u12'`, `column 7: expected an escape of JSON, found "\\u12'"`},
		{"a == 'x\ny'", `column 8: a control character within a text: write it as an escape, such as \n`},
		{`a == 'x' b`, `column 10: expected &&, || or the end, found "b"`},
		{`a b`, `column 3: expected an operator, && or ||, found "b"`},
		{`a == 1 == 2`, `column 8: expected &&, || or the end, found "=="`},
		{`a == [1]`, `column 6: expected a value, found "["`},
		{`a == {}`, `column 6: expected a value, found "{"`},
		{`a # b`, `column 3: expected an operator, && or ||, found "#"`},
		{`a == 1; b`, `column 6: expected a number, found "1;": a text needs quotes`},
		{`a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q`, `column 1: more than 16 steps in a path`},
		{`(((((((((((((((((a)))))))))))))))))`, `column 17: more than 16 levels of parentheses and !`},
		{`!!!!!!!!!!!!!!!!!a`, `column 17: more than 16 levels of parentheses and !`},
		{`é == 中`, `column 6: expected a value, found "中": a text needs quotes, which a shell may have taken away`},
		{"total > 100 &&\n custmer.country = \"DE\"", `column 33: expected an operator, && or ||, found "=": did you mean "=="?`},
		{`a == 1 && b withAVeryLongWordThatNobodyWantsToReadAgainInAMessage`, `column 13: expected an operator, && or ||, found "withAVeryLongWordThatNobodyWants…"`},
		{"a == \ufffd", `column 6: expected a value, found "�"`},
		{`a == 1 and b`, `column 8: expected &&, || or the end, found "and": did you mean "&&"?`},
		{`a == b.c`, `column 6: expected a value, found "b": a text needs quotes, which a shell may have taken away`},
	} {
		f, err := Parse(c.filter)
		var e *wire.Error
		if f != nil || !errors.As(err, &e) || e.Code != wire.CodeInvalidArgument {
			t.Errorf("%s: %v, %v", c.filter, f, err)
			continue
		}
		if want := "filter, " + c.want; e.Message != want {
			t.Errorf("%s:\n got %s\nwant %s", c.filter, e.Message, want)
		}
		if offset, ok := e.Details.More["offset"].(int); !ok || offset < 0 || offset > len(c.filter) {
			t.Errorf("%s: details %v", c.filter, e.Details.More)
		}
	}
}

// TestBounds: what is at a bound is taken, and what is beyond is not.
func TestBounds(t *testing.T) {
	repeat := func(what, between string, n int) string { return strings.Repeat(what+between, n-1) + what }
	for _, c := range []struct {
		what string
		make func(n int) string
		most int
	}{
		{"bytes", func(n int) string { return strings.Repeat("a", n) }, 1024},
		{"conditions and operators", func(n int) string { return strings.Repeat("!", 1-n%2) + repeat("a", "&&", (n+1)/2) }, 64},
		{"parentheses", func(n int) string { return strings.Repeat("(", n) + "a" + strings.Repeat(")", n) }, 16},
		{"negations", func(n int) string { return strings.Repeat("!", n) + "a" }, 16},
		{"steps", func(n int) string { return repeat("a", ".", n) }, 16},
		{"indexes", func(n int) string { return strings.Repeat("[0]", n) }, 16},
		{"values", func(n int) string { return "a in [" + repeat("1", ",", n) + "]" }, 64},
		{"digits of an index", func(n int) string { return "a[" + strings.Repeat("9", n) + "]" }, 9},
	} {
		if _, err := Parse(c.make(c.most)); err != nil {
			t.Errorf("%d %s: %v", c.most, c.what, err)
		}
		if f, err := Parse(c.make(c.most + 1)); wire.CodeOf(err) != wire.CodeInvalidArgument {
			t.Errorf("%d %s: %v, %v", c.most+1, c.what, f, err)
		}
	}
	if _, err := Parse("a == 'b\xff'"); wire.CodeOf(err) != wire.CodeInvalidArgument {
		t.Error("a filter may be other than UTF-8")
	}
	// All of it at once is still little work.
	f := mustParse(t, repeat("a in ["+repeat("1", ",", 10)+"]", "&&", 32))
	if !f.Match([]byte(`{"a":1}`)) {
		t.Errorf("%s does not match", f)
	}
}

func TestCanonical(t *testing.T) {
	for given, want := range map[string]string{
		`a>1`:                            `a > 1`,
		"  a\t==\n'x'  ":                 `a == "x"`,
		`a&&!b||!c`:                      `a && !b || !c`,
		`((a))`:                          `a`,
		`(a&&b)&&c`:                      `a && b && c`,
		`a&&(b&&(c))`:                    `a && b && c`,
		`a||(b||c)||d`:                   `a || b || c || d`,
		`(a&&b)||c&&d`:                   `a && b || c && d`,
		`a&&(b||c)`:                      `a && (b || c)`,
		`!(a)`:                           `!a`,
		`!(a==1)`:                        `!(a == 1)`,
		`!(a||b)`:                        `!(a || b)`,
		`! ! a`:                          `!!a`,
		`!(exists( a.b ))`:               `!exists(a.b)`,
		`a["b"]["c d"][ 0 ]["1"]`:        `a.b["c d"][0]["1"]`,
		`["a"]`:                          `a`,
		`["true"].true`:                  `["true"].true`,
		`exists`:                         `["exists"]`,
		`a['\'"\u00e9\n']`:               `a["'\"é\n"]`,
		`a in[1,'x',null,true,2.50]`:     `a in [1, "x", null, true, 2.50]`,
		`a in []`:                        `a in []`,
		`a startsWith'x'&&b contains"y"`: `a startsWith "x" && b contains "y"`,
		`in == 1 && contains in [2]`:     `in == 1 && contains in [2]`,
		`user-id == 1`:                   `user-id == 1`,
		`größe > 1`:                      `größe > 1`,
		`$a._b == -0.5E+3`:               `$a._b == -0.5E+3`,
	} {
		f, err := Parse(given)
		if err != nil {
			t.Errorf("%s: %v", given, err)
			continue
		}
		if f.String() != want {
			t.Errorf("%s is %s, want %s", given, f, want)
		}
		if again := mustParse(t, f.String()); again.String() != want {
			t.Errorf("%s is %s", want, again)
		}
	}
}

// The orders of numbers are exact, and those of each number with itself too.
func TestNumbers(t *testing.T) {
	for _, a := range numbers {
		for _, b := range numbers {
			x, y := numberLiteral([]byte(a)), numberLiteral([]byte(b))
			v := value(x)
			want := rational(json.Number(a)).Cmp(rational(json.Number(b)))
			if got := v.compare(&y); got != want {
				t.Errorf("%s to %s is %d, want %d", a, b, got, want)
			}
			if got := compareDecimals([]byte(a), []byte(b)); got != want {
				t.Errorf("%s to %s is %d digit by digit, want %d", a, b, got, want)
			}
		}
	}
}

func ExampleParse() {
	f, err := Parse(`total > 100 && customer.country == "DE"`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Match([]byte(`{"total":129.5,"customer":{"name":"Ada","country":"DE"}}`)))
	fmt.Println(f.Match([]byte(`{"total":129.5,"customer":{"name":"Bob","country":"AT"}}`)))

	_, err = Parse(`total => 100`)
	fmt.Println(err)
	// Output:
	// true
	// false
	// INVALID_ARGUMENT: filter, column 7: expected an operator, && or ||, found "=>": did you mean ">="?
}
