package filter

import (
	"testing"

	"github.com/ekkojs/ipc/wire"
)

// seeds are filters of all kinds.
var seeds = []string{
	`total > 100 && customer.country == "DE"`,
	`!(paid || total < 1e2) && exists(coupon)`,
	`a.b[0]["odd name"] in [1, 'x', true, false, null]`,
	`name startsWith "A" || name endsWith '\u00e9' || name contains "\n"`,
	`id == 9007199254740993 && id != 9007199254740992.0`,
	`((a)) && (b || !!c)`,
	`["true"] == -0.5E+3`,
	`a = 1`, `a == `, `(`, `a in [1,`, `not a`,
}

// FuzzParse: any text is a filter or has an error that says where, and a filter
// in its canonical form is the same filter.
func FuzzParse(f *testing.F) {
	for _, text := range seeds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parse(text)
		if err != nil {
			if _, again := Parse(text); wire.CodeOf(err) != wire.CodeInvalidArgument || again == nil {
				t.Fatalf("%v, %v", err, again)
			}
			return
		}
		filter := mustParse(t, text)
		canonical := filter.String()
		if len(canonical) <= MaxText {
			again, err := Parse(canonical)
			if err != nil || again.String() != canonical {
				t.Fatalf("%q became %q, and that %v, %v", text, canonical, again, err)
			}
			for _, data := range []string{order, "", `{"a":{"b":[1]},"c":true}`} {
				if filter.Match([]byte(data)) != again.Match([]byte(data)) {
					t.Fatalf("%q and %q differ for %s", text, canonical, data)
				}
			}
		}
		for _, data := range []string{order, "", `{"a":{"b":[1]},"c":true}`, `[1,{"a":"x"}]`} {
			checkMatch(t, e, filter, []byte(data))
		}
	})
}

// FuzzMatch: of any data and any filter the answer is that of the plainest
// evaluation, or there is at least an answer.
func FuzzMatch(f *testing.F) {
	for _, text := range seeds {
		for _, data := range []string{
			order, `{"paid":false,"coupon":null,"total":1e2}`, `{"a":{"b":[{"odd name":"\u0078"}]}}`,
			`{"name":"A\u00e9\n","id":9007199254740993,"true":-5e2,"b":true,"a":[]}`, `[`, `{"a`, `{"a":"\`, `{"a":-}`,
		} {
			f.Add(text, []byte(data))
		}
	}
	f.Fuzz(func(t *testing.T, text string, data []byte) {
		e, err := parse(text)
		if err != nil {
			return
		}
		filter := compile(e)
		checkMatch(t, e, filter, data)
		if len(data) > 0 {
			filter.Match(data[:len(data)/2])
		}
	})
}
