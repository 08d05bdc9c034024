package filter

import (
	"fmt"
	"strings"
	"testing"
)

// order is 100 bytes of an event, more or less.
const order = `{"orderId":456,"total":129.5,"customer":{"name":"Ada","country":"DE"},"items":["tea","rusk","jam"]}`

func BenchmarkMatch(b *testing.B) {
	many := strings.Repeat(`{"id":1,"name":"Ada Lovelace","tags":["a","b"]},`, 20000)
	for _, c := range []struct{ name, filter, data string }{
		{"OneField", `total > 100`, order},
		{"TwoFields", `total > 100 && customer.country == "DE"`, order},
		{"TwoFieldsFirstFails", `total > 1000 && customer.country == "DE"`, order},
		{"TwoFieldsEither", `total > 1000 || customer.country == "AT" && items[2] == "jam"`, order},
		{"Missing", `nothing == 1 && no == 2`, order},
		{"Digits", `id == 9007199254740993`, `{"id":9007199254740992}`},
		{"Exponents", `x == 1.5e3`, `{"x":1500}`},
		{"Escapes", `note contains "é"`, `{"note":"a\nb\u00e9"}`},
		{"InTen", `customer.country in ["AT","BE","CH","CZ","DK","ES","FR","GB","IT","DE"]`, order},
		{"Behind1MiB", `last`, `{"many":[` + many + `0],"last":true}`},
		{"Through1MiB", `many[100000]`, `{"many":[` + many + `0],"last":true}`},
	} {
		f := mustParse(b, c.filter)
		data := []byte(c.data)
		b.Run(fmt.Sprintf("%s/%d", c.name, len(data)), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				f.Match(data)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(`total > 100 && customer.country == "DE"`); err != nil {
			b.Fatal(err)
		}
	}
}
