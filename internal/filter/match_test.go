package filter

import (
	"strings"
	"testing"
)

// TestMatch goes through what the package says of itself.
func TestMatch(t *testing.T) {
	const data = `{"total": 129.50, "paid": true, "sent": false, "note": null, "customer": {"name": "Ada \"the\" Lovelace", "country": "DE", "é": 1},
		"items": [{"name": "tea", "count": 2}, {"name": "rusk\n"}, 7, [1, [2]]], "odd name": 3, "": "empty", "true": 1, "exists": "yes",
		"id": 9007199254740993, "\u0061bc": "escaped", "status": "new", "big": 1e400, "empty": {}, "none": []}`
	for filter, want := range map[string]bool{
		`total > 100`: true, `total > 129.5`: false, `total >= 129.5`: true, `total == 129.5`: true, `total == 1.295e2`: true,
		`total < 129.51`: true, `total <= 129.49`: false, `total != 129.5`: false, `total < 1e400`: true, `big > 1e399`: true,
		`total == "129.5"`: false, `total != "129.5"`: true, `total < "2"`: false, `total > "0"`: false,

		`customer.country == "DE"`: true, `customer.country == 'DE'`: true, `customer["country"] == "DE"`: true, `customer.country < "DF"`: true,
		`customer.country > "D"`: true, `customer.country == "de"`: false, `customer.country != "AT"`: true, `customer.country == "D"`: false,
		`customer.name == 'Ada "the" Lovelace'`: true, `customer.name startsWith "Ada \""`: true, `customer.name endsWith 'lace'`: true,
		`customer.name contains '"the"'`: true, `customer.name contains ''`: true, `customer.name startsWith "Lovelace"`: false,
		`total startsWith "1"`: false, `note contains "null"`: false, `customer.é == 1`: true, `customer["\u00e9"] == 1`: true,

		`items[0].name == "tea"`: true, `items[1].name == "rusk\n"`: true, `items[2] == 7`: true, `items[3][1][0] == 2`: true, `items[4] == null`: true,
		`items[0].name == "tea" && items[0].count == 2 && items[2] != 8`: true, `items["0"] == null`: true, `customer[0] == null`: true,
		`["odd name"] == 3`: true, `[""] == "empty"`: true, `["true"] == 1`: true, `exists == "yes"`: true, `exists(exists)`: true, `abc == "escaped"`: true,

		`paid`: true, `sent`: false, `!sent`: true, `!paid`: false, `note`: false, `total`: false, `!total`: true, `paid == true`: true,
		`sent == false`: true, `sent != true`: true, `paid == 1`: false, `paid && !sent`: true, `!(paid && sent)`: true, `!!paid`: true,

		`status in ["new", "paid", 3]`: true, `status in ["paid"]`: false, `status in []`: false, `["odd name"] in [1, 2, 3.0]`: true,
		`paid in [true]`: true, `note in [null]`: true, `missing in [1, null]`: true, `missing in [1]`: false,

		`note == null`: true, `note != null`: false, `exists(note)`: true, `note != 3`: true, `note < 3`: false,
		`missing == null`: true, `missing != null`: false, `exists(missing)`: false, `!exists(missing)`: true, `missing`: false, `!missing`: true,
		`missing == 3`: false, `missing != 3`: false, `!(missing == 3)`: true, `missing < 3`: false, `missing startsWith ""`: false,
		`customer.missing == null`: true, `total.missing == null`: true, `items[9].name == null`: true,

		`customer == null`: false, `customer != null`: true, `items != 7`: true, `items == 7`: false, `exists(empty)`: true, `exists(none)`: true,
		`exists(customer.name)`: true, `customer != null && customer.country == "DE"`: true, `none[0] == null`: true, `empty.x == null`: true,

		`id == 9007199254740993`: true, `id == 9007199254740992`: false, `id == 9007199254740994`: false, `id > 9007199254740992`: true,
		`id < 9007199254740994`: true, `id == 9007199254740993.0`: true, `id == 9.007199254740993e15`: true, `id < 9.0071992547409931e15`: true,
		`id != 9007199254740992.999999999`: true,

		`sent && sent || paid`: true, `paid || sent && sent`: true, `(paid || sent) && sent`: false, `sent || sent || total > 1`: true,
		`total > 100 && total < 200 && total != 150`: true, `missing == null || sent`: true, `sent || missing == null`: true,
	} {
		f, err := Parse(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := f.Match([]byte(data)); got != want {
			t.Errorf("%s is %t", filter, got)
		}
		compact := strings.NewReplacer("\n\t\t", "", ": ", ":", ", ", ",").Replace(data)
		if got := f.Match([]byte(compact)); got != want {
			t.Errorf("%s is %t without spaces", filter, got)
		}
		if got := mustParse(t, f.String()).Match([]byte(data)); got != want {
			t.Errorf("%s is %t for %s", f, got, filter)
		}
	}
}

// TestMatchOtherData: data need not be an object, nor be there.
func TestMatchOtherData(t *testing.T) {
	for _, c := range []struct {
		filter, data string
		want         bool
	}{
		{`[0].a == 1`, ` [ {"a":1} ] `, true},
		{`[1] == "x"`, `["y","x"]`, true},
		{`[1] == "x"`, `["y"]`, false},
		{`a == 1`, `1`, false}, {`a == null`, `1`, true}, {`a == null`, `"a"`, true}, {`a == null`, `null`, true},
		{`a == null`, ``, true}, {`!exists(a)`, ``, true}, {`a != 1`, ``, false}, {`a`, ``, false},
		{`a == 1`, "\t{\n\"a\"\r:\t1 }", true},
		{`a == 0 && b == 0 && c == 0`, `{"a":-0,"b":0.000,"c":-0e99}`, true},
		{`a >= 0`, `{"a":-0}`, true},
		{`a < 0`, `{"a":-0.0000000000000000000000000000001}`, true},
		{`a > 123456789012345678901234567890`, `{"a":123456789012345678901234567891}`, true},
		{`a < 1e99999999999999999999`, `{"a":1}`, true},
		{`a > 1e-99999999999999999999`, `{"a":1}`, true},
		{`a == "\ud83d\ude00" && a == "😀"`, `{"a":"\uD83D\uDE00"}`, true},
		{`a == 1 || a < 2 || a == null || a in [1]`, `{"a":1.` + strings.Repeat("0", MaxText) + `}`, false},
		{`a != 1 && exists(a) && b == 2`, `{"a":1.` + strings.Repeat("0", MaxText) + `,"b":2}`, true},
		{`a == 1`, `{"a":1.` + strings.Repeat("0", MaxText-2) + `}`, true},
		{`exists(a) && a != 1 && !a`, `{"a":"\n"}`, true},
		{`a endsWith "\\"`, `{"a":"x\\"}`, true},
		{`a == "\"\\\/\b\f\n\r\t"`, `{"a":"\u0022\u005c/\u0008\u000C\u000a\u000d\u0009"}`, true},
		{`a.b == 1 && c == 2`, `{"a":{"x":{"b":5},"b":1,"y":[{"b":3}]},"c":2}`, true},
		{`a[2] == 3 && a[0] == 1 && a[1] == 2`, `{"a":[1,2,3]}`, true},
		{`b == 2`, `{"a":"` + strings.Repeat(`\\\"`, 100) + `","b":2}`, true},
		{`a == "` + strings.Repeat("x", 300) + `"`, `{"a":"\u0078` + strings.Repeat("x", 299) + `"}`, true},
	} {
		if got := mustParse(t, c.filter).Match([]byte(c.data)); got != c.want {
			t.Errorf("%s is %t for %s", c.filter, got, c.data)
		}
	}
	var none *Filter
	if !none.Match([]byte(`{}`)) || none.String() != "" {
		t.Error("no filter does not match")
	}
}

// TestMatchLooksNoFurther: what cannot change the answer is not looked at, so
// here it may be broken.
func TestMatchLooksNoFurther(t *testing.T) {
	for _, c := range []struct {
		filter, data string
		want         bool
	}{
		{`a == 1`, `{"a":1,`, true},
		{`a == 1 && b == 2`, `{"b":2,"a":1,`, true},
		{`a == 1 && b == null`, `{"a":2,`, false},
		{`a == 1 || b == 2`, `{"a":1,`, true},
		{`a.b`, `{"a":{"b":true,`, true},
		{`a[1] == 2`, `{"a":[1,2,`, true},
	} {
		if got := mustParse(t, c.filter).Match([]byte(c.data)); got != c.want {
			t.Errorf("%s is %t for %s", c.filter, got, c.data)
		}
	}
}

// TestMatchAnything: every beginning of a text is got through, and every text
// with one byte changed.
func TestMatchAnything(t *testing.T) {
	filters := []*Filter{
		mustParse(t, `a.b[1].c == "x\n" || a.b[0] > 1.5e3 && !exists(z) || z`),
		mustParse(t, `z.z[0] == null && (a contains "b" || q in [1, "x"])`),
	}
	const data = `{"a":{"b":[1501,{"c":"\ud83d\ude00x\n"},true,null,"\\\""],"é":-1.25e-3},"q":[[{"z":{}}]],"long name here":false}`
	for _, f := range filters {
		for n := range len(data) + 1 {
			f.Match([]byte(data[:n]))
		}
		for n := range data {
			for _, c := range []byte("\x00\"\\{}[],:0-.eEtfnu \xff") {
				changed := []byte(data)
				changed[n] = c
				f.Match(changed)
			}
		}
	}
}

func TestAllocations(t *testing.T) {
	for filter, data := range map[string]string{
		`total > 100 && customer.country == "DE"`:     order,
		`items[2] == "jam" || nothing startsWith "x"`: order,
		`id == 9007199254740993 || id > 1.5e3`:        `{"id":9007199254740992}`,
		`exists(note) && note != 1`:                   `{"note":"` + strings.Repeat(`\n`, 1000) + `"}`,
		`note contains "é" && ["odd \" name"] in [1]`: `{"note":"a\nb\u00e9","odd \" name":1}`,
	} {
		f := mustParse(t, filter)
		text := []byte(data)
		if n := testing.AllocsPerRun(100, func() { f.Match(text) }); n != 0 {
			t.Errorf("%s: %v allocations", filter, n)
		}
	}
}
