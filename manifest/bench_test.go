package manifest

import (
	"strings"
	"testing"
)

// fitting is what the benchmarks check: the example of the format's author.
func fitting(t testing.TB) map[string]func() error {
	m := mustParse(t, string(readTestdata(t, "database-service.ekko.ipc.json")))
	get, created := m.Methods["getUserById"], m.Events["user.created"]
	list := mustParse(t, `{"service":{"name":"shop"},"methods":{"m":{
	  "parameters":[{"name":"a","type":"string"},{"name":"b","type":"integer","default":1}],
	  "returns":{"type":"array","schema":{"id":"integer","tags":"string[]","note":"string?"}}}}}`).Methods["m"]
	args, scalar, named := []byte(`[123]`), []byte(`123`), []byte(`{"b":2,"a":"x"}`)
	user := []byte(`{"id":123,"name":"Ada Lovelace","email":"ada@example.com"}`)
	event := []byte(`{"id":123,"name":"Ada Lovelace","timestamp":"2026-11-22T12:00:00.123Z"}`)
	rows := []byte(`[{"id":1,"tags":["a","b"],"note":null},{"tags":[],"id":2,"extra":{"x":[1,2,3]}},{"id":3,"tags":["c"],"note":"d"}]`)
	echo := mustParse(t, `{"service":{"name":"bench"},"methods":{"echo":{
	  "parameters":[{"name":"value","type":"object"}],"returns":{"type":"object"}}}}`).Methods["echo"]
	value := `{"orderId":456,"customer":"Ada Lovelace","total":99.99,"items":["tea","rusk","jam"],"note":"parcel"}`
	one, same := []byte(`[`+value+`]`), []byte(value)
	long := []byte(`[{"a":"` + strings.Repeat("plain", 1<<20/5) + `"}]`)
	flat := []byte(`[{"a":[` + strings.Repeat(value+",", 1<<20/101) + `0]}]`)
	return map[string]func() error{
		"echo/arguments":   func() error { return echo.CheckArguments(one) },
		"echo/long":        func() error { return echo.CheckArguments(long) },
		"echo/flat":        func() error { return echo.CheckArguments(flat) },
		"echo/named":       func() error { return echo.CheckArguments(same) },
		"echo/result":      func() error { return echo.CheckResult(same) },
		"arguments":        func() error { return get.CheckArguments(args) },
		"arguments/scalar": func() error { return get.CheckArguments(scalar) },
		"arguments/named":  func() error { return list.CheckArguments(named) },
		"result":           func() error { return get.CheckResult(user) },
		"result/rows":      func() error { return list.CheckResult(rows) },
		"event":            func() error { return created.Check(event) },
	}
}

// What fits costs no memory: the checker is on the way of every call.
func TestNoAllocations(t *testing.T) {
	for name, check := range fitting(t) {
		if err := check(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n := testing.AllocsPerRun(100, func() { _ = check() }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	three := mustParse(t, calls).Methods["three"]
	var few [4][]byte
	for _, text := range []string{`["x"]`, `["x",1,{"a":[2]}]`, `{"filter":{},"first":"x"}`} {
		data := []byte(text)
		if n := testing.AllocsPerRun(100, func() { _, _ = three.Bind(data, few[:0]) }); n != 0 {
			t.Errorf("bind %s: %v allocations", data, n)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	for name, check := range fitting(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := check(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBind is what a request costs on its way to a handler.
func BenchmarkBind(b *testing.B) {
	mt := mustParse(b, calls).Methods["three"]
	data := []byte(`["text",5,{"orderId":456,"customer":"Ada Lovelace"}]`)
	b.Run("Bind", func(b *testing.B) {
		b.ReportAllocs()
		var few [4][]byte
		for b.Loop() {
			if _, err := mt.Bind(data, few[:0]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("CheckArguments,Arguments", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := mt.CheckArguments(data); err != nil {
				b.Fatal(err)
			}
			if _, err := mt.Arguments(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCheckSchema(b *testing.B) {
	mt := mustParse(b, calls).Methods["narrow"]
	data := []byte(`[5,"abc"]`)
	b.ReportAllocs()
	for b.Loop() {
		if err := mt.CheckArguments(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkViolation(b *testing.B) {
	mt := mustParse(b, calls).Methods["one"]
	data := []byte(`["123"]`)
	b.ReportAllocs()
	for b.Loop() {
		if mt.CheckArguments(data) == nil {
			b.Fatal("it fits")
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"database-service", "everything"} {
		text := readTestdata(b, name+".ekko.ipc.json")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
