package manifest

import "testing"

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
	return map[string]func() error{
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
