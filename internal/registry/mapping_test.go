//go:build unix

package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ekkojs/ipc/wire"
)

func TestMappingFile(t *testing.T) {
	w := newWorld(t)
	w.write("$WORK/elsewhere/db.ekko.ipc.json", manifestOf("database"))
	w.write("$WORK/ekko.ipc.config.json", `{
		"$schema": "https://example.com/schema.json",
		"services": {
			"db": "elsewhere/db.ekko.ipc.json",
			"db2": {"manifest": "./elsewhere/../elsewhere/db.ekko.ipc.json", "address": "tcp:127.0.0.1:7000"},
			"cache": "unix:/run/cache/ipc.sock",
			"far": {"address": "unix:/run/far.sock"},
			"gone": "nowhere.ekko.ipc.json"
		}
	}`)
	w.write("$HOME/.ekko/ekko.ipc.config.json", `{"services": {"cache": "unix:/hidden.sock", "home": "unix:/run/home.sock"}}`)
	for name, want := range map[string]string{
		"db":    "unix:$RUN/database.sock manifest of database from $WORK/elsewhere/db.ekko.ipc.json",
		"db2":   "tcp:127.0.0.1:7000 manifest of database from $WORK/elsewhere/db.ekko.ipc.json",
		"cache": "unix:/run/cache/ipc.sock from $WORK/ekko.ipc.config.json",
		"far":   "unix:/run/far.sock from $WORK/ekko.ipc.config.json",
		"home":  "unix:/run/home.sock from $HOME/.ekko/ekko.ipc.config.json",
	} {
		r := w.mustResolve(name)
		got := r.Address
		if r.Manifest != nil {
			got += " manifest of " + r.Manifest.Service.Name
		}
		if got = w.named(got + " from " + r.Path); got != want || r.Source != SourceMapping || r.Name != name {
			t.Errorf("%s: %s, %+v", name, got, r)
		}
		if last := r.Places[len(r.Places)-1]; !last.Found || last.Path != r.Path {
			t.Errorf("%s: %+v", name, r.Places)
		}
	}
	_, err := w.Resolve(context.Background(), "gone")
	if !errors.Is(err, wire.CodeServiceNotFound) || !strings.Contains(w.named(err.Error()), "$WORK/nowhere.ekko.ipc.json") {
		t.Errorf("%v", err)
	}
	// What is on the search path comes first.
	w.write("$WORK/ipc/cache.ekko.ipc.json", manifestOf("cache"))
	if r := w.mustResolve("cache"); r.Source != SourceManifest {
		t.Errorf("%+v", r)
	}
}

func TestBrokenMappingFileIsAnError(t *testing.T) {
	w := newWorld(t)
	path := w.write("$WORK/ekko.ipc.config.json", "{\n  \"services\": {\n    \"db\": 5\n  }\n}\n")
	_, err := w.Resolve(context.Background(), "other")
	if !errors.Is(err, wire.CodeServiceNotFound) || !strings.Contains(err.Error(), path+`:3:11: `) {
		t.Errorf("%v", err)
	}
	if _, ok := errors.AsType[*MappingError](err); !ok {
		t.Errorf("%#v", err)
	}
	problems, err := w.Problems(context.Background())
	if err != nil || len(problems) != 1 || problems[0].Path != path {
		t.Errorf("%v %v", problems, err)
	}
	w.write("$WORK/ekko.ipc.config.json", `{"services":{"db":"`+strings.Repeat("x", maxMapping)+`"}}`)
	if _, err := w.Resolve(context.Background(), "db"); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("%v", err)
	}
}

func TestMappingErrorsHaveTheirPlace(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{``, `1:1: the text ends too early`},
		{`{"services": {`, `1:15: the text ends too early`},
		{`[]`, `1:1: the file is not an object`},
		{`{"services": []}`, `1:14: services is not an object`},
		{"{\n\t\"service\": {}}", `2:2: unknown field "service": only "services" is known`},
		{`{"$schema": 1}`, `1:13: "$schema" is not a string`},
		{"{\"services\": {\n \"a b\": \"x\"}}", `2:2: INVALID_NAME: name "a b": only letters, digits, '_', '-' and dots are allowed`},
		{`{"services": {"a": 1}}`, `1:20: service a is not an object`},
		{`{"services": {"a": ""}}`, `1:20: "a" is mapped to ""`},
		{`{"services": {"a": {}}}`, `1:20: service "a" is mapped to nothing: "manifest" or "address" is missing`},
		{`{"services": {"a": {"path": "x"}}}`, `1:21: unknown field "path": "manifest" and "address" are known`},
		{`{"services": {"a": {"address": "x"}}}`, `1:32: "x" is not an address: it has no scheme, such as unix:`},
		{`{"services": {"a": {"manifest": 1}}}`, `1:33: "manifest" is not a string`},
		{`{"services": {"ü": "x"}}`, `1:15: INVALID_NAME: name "ü": only letters, digits, '_', '-' and dots are allowed`},
		{`{"services": {"a": "x", "a": "y"}}`, ``},
		{`{"services": {"a": "x"}, }`, ``},
		{`{"services": {} /* comment */}`, ``},
		{`{"services": {}} x`, ``},
		{`{"services": {}} {}`, `1:18: something follows the value`},
		{"{\"services\": {\"a\": \"\xff\"}}", ``},
		{`{"services": {"a": "tcp:10.0.0.1:80"}}`, ``},
		{`{"services": {"a": "tcp:0.0.0.0:80"}}`, ``},
		{`{"services": {"a": "unix:relative.sock"}}`, ``},
		{`{"services": {"a": "unix:@abstract"}}`, ``},
		{`{"services": {"a": "stdio:"}}`, ``},
		{`{"services": {"a": "mem:x"}}`, ``},
		{`{"services": {"a": "http://localhost/"}}`, ``},
	} {
		_, err := parseMapping([]byte(test.text))
		wrong, ok := errors.AsType[*MappingError](err)
		if !ok {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		got := fmt.Sprintf("%d:%d: %s", wrong.Line, wrong.Column, wrong.Message)
		if test.want == "" {
			t.Logf("%s: %s", test.text, got)
		} else if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.text, diff)
		}
	}
}

func FuzzMapping(f *testing.F) {
	for _, seed := range []string{
		`{"services":{"a":"b.json","c":{"manifest":"x","address":"unix:/y"},"d":"tcp:127.0.0.1:1"}}`,
		`{}`, `{"services":{}}`, "{\n\"services\":\n{", `{"services":{"a":"C:\\x"}}`, `{"$schema":"","services":{"a":{"address":"unix:/a/../b"}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := parseMapping(text)
		if err != nil {
			wrong, ok := errors.AsType[*MappingError](err)
			if !ok || wrong.Line < 1 || wrong.Column < 1 || wrong.Line > strings.Count(string(text), "\n")+1 || wrong.Message == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		for name, e := range entries {
			if wire.CheckName(name) != nil || e == (entry{}) {
				t.Fatalf("%q: %+v", name, e)
			}
		}
	})
}
