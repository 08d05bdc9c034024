package manifest

import (
	"errors"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzParse: any text is either a manifest or has errors with a place, never
// both and never a panic; and what is a manifest stays one when it is sent on.
func FuzzParse(f *testing.F) {
	for _, fixture := range fixtures(f) {
		f.Add(fixture.Data)
	}
	f.Add(readTestdata(f, "database-service.ekko.ipc.json"))
	f.Add(readTestdata(f, "everything.ekko.ipc.json"))
	f.Add([]byte(calls))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse(text)
		problems := Lint(text)
		errorCount := 0
		for i, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" || p.Rule == "" {
				t.Fatalf("problem without a place or a word: %+v", p)
			}
			if i > 0 {
				if q := problems[i-1]; p.Line < q.Line || p.Line == q.Line && p.Column < q.Column {
					t.Fatalf("%v stands before %v", q, p)
				}
			}
			if p.Severity == Error {
				errorCount++
			}
		}
		if (err == nil) != (errorCount == 0) {
			t.Fatalf("Parse says %v, Lint finds %d errors", err, errorCount)
		}
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) || se.Severity != Error || len(se.Problems) != len(problems) {
				t.Fatalf("error %T %v", err, err)
			}
			return
		}
		again, err := Parse(m.Raw())
		if err != nil || string(again.Raw()) != string(m.Raw()) || len(again.Warnings) != len(m.Warnings) {
			t.Fatalf("the manifest's own text: %v\n%s", err, m.Raw())
		}
		use(m)
	})
}

// use calls all that a manifest can do.
func use(m *Manifest) {
	values := []string{"", "null", "1", `"a"`, "[]", "{}", `[1,"a",{}]`, `{"id":1,"a":{"b":[true]}}`, "1e400", "[[[]]]"}
	for _, name := range m.MethodNames() {
		mt := m.Methods[name]
		mt.Signature()
		for _, v := range values {
			mt.CheckArguments([]byte(v))
			mt.Arguments([]byte(v))
			mt.Bind([]byte(v), nil)
			mt.CheckResult([]byte(v))
		}
	}
	for _, name := range m.EventNames() {
		for _, v := range values {
			m.Events[name].Check([]byte(v))
		}
		m.ChannelOf(name)
	}
}

// FuzzCheckArguments: the checker on raw text and the oracle on decoded values
// agree about any method and any arguments, be they drawn to nearly fit or the
// fuzzer's own text.
func FuzzCheckArguments(f *testing.F) {
	f.Add([]byte{2, 1, 0, 0, 2}, []byte(`[1,"a"]`), false)
	f.Add([]byte{3, 0, 9, 1, 2, 0, 8, 0, 1, 1, 4}, []byte{3, 0, 1, 2, 3, 4, 5}, true)
	f.Add([]byte{1, 0, 9, 0, 7, 9, 3, 1, 2, 8, 0, 4}, []byte{5, 0, 0, 0, 0, 1}, true)
	f.Add([]byte{1, 0, 3}, []byte(`9007199254740992`), false)
	f.Add([]byte{0}, []byte(`null`), false)
	f.Add([]byte{2, 0, 6, 0, 0, 7}, []byte(`{"a":{},"b":[{}]}`), false)
	f.Fuzz(func(t *testing.T, shape, data []byte, drawn bool) {
		k := drawCall(&choices{shape})
		m, err := Parse([]byte(k.manifest()))
		if err != nil {
			t.Fatalf("%v\n%s", err, k.manifest())
		}
		mt := m.Methods["m"]
		if drawn {
			data = []byte(k.drawData(&choices{data}))
		}
		err = mt.CheckArguments(data) // whatever the data: no panic
		args, formErr := mt.Arguments(data)
		mt.Bind(data, nil)
		if len(data) > 0 && !jsontext.Value(data).IsValid() {
			return
		}
		checkBind(t, mt, data)
		if want := k.fits(data); (err == nil) != want {
			t.Fatalf("the checker says %v, the oracle %v\n%s\n%s", err, want, k.manifest(), data)
		}
		if err != nil {
			checkViolation(t, err)
			return
		}
		if formErr != nil {
			t.Fatalf("Arguments refuses what fits: %v\n%s\n%s", formErr, k.manifest(), data)
		}
		checkNormal(t, k, mt, args)
	})
}

func checkViolation(t *testing.T, err error) {
	t.Helper()
	var v *Violation
	if !errors.As(err, &v) || v.Rule == "" || v.Message == "" || v.Path != "" && v.Path[0] != '/' {
		t.Fatalf("violation %+v", err)
	}
}

// checkNormal: the arguments in their one form fit as they did in the other.
func checkNormal(t *testing.T, k *call, mt *Method, args [][]byte) {
	t.Helper()
	list := []byte{'['}
	for i, a := range args {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, a...)
	}
	list = append(list, ']')
	if err := mt.CheckArguments(list); err != nil || !k.fits(list) {
		t.Fatalf("the arguments no longer fit as %s: %v\n%s", list, err, k.manifest())
	}
}
