package manifest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const fixturesFile = "testdata/lint.txtar"

// fixtures are the manifests of testdata/lint.txtar by name, in the file's
// order.
func fixtures(t testing.TB) []txtar.File {
	t.Helper()
	a, err := txtar.ParseFile(fixturesFile)
	if err != nil {
		t.Fatal(err)
	}
	var out []txtar.File
	for _, f := range a.Files {
		if name, ok := strings.CutSuffix(f.Name, ".json"); ok {
			// The archive ends each file with a line end, which no fixture is
			// about.
			out = append(out, txtar.File{Name: name, Data: bytes.TrimSuffix(f.Data, []byte("\n"))})
		}
	}
	return out
}

// listed is what the golden files hold of a text's problems.
func listed(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%d:%d %v %s [%s] %s\n", p.Line, p.Column, p.Severity, p.Rule, p.Path, p.Message)
	}
	return b.String()
}

func TestLint(t *testing.T) {
	a, err := txtar.ParseFile(fixturesFile)
	if err != nil {
		t.Fatal(err)
	}
	wants := map[string]string{}
	for _, f := range a.Files {
		if name, ok := strings.CutSuffix(f.Name, ".want"); ok {
			wants[name] = string(f.Data)
		}
	}
	rewritten := &txtar.Archive{Comment: a.Comment}
	for _, f := range fixtures(t) {
		got := listed(Lint(f.Data))
		rewritten.Files = append(rewritten.Files, txtar.File{Name: f.Name + ".json", Data: append(f.Data, '\n')})
		if got != "" {
			rewritten.Files = append(rewritten.Files, txtar.File{Name: f.Name + ".want", Data: []byte(got)})
		}
		if *update {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			if d := cmp.Diff(wants[f.Name], got); d != "" {
				t.Errorf("problems (-want +got):\n%s", d)
			}
		})
	}
	if *update {
		if err := os.WriteFile(fixturesFile, txtar.Format(rewritten), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The folder of a fixture says how it ends.
func TestLintSeverities(t *testing.T) {
	for _, f := range fixtures(t) {
		errors, warnings := 0, 0
		for _, p := range Lint(f.Data) {
			if p.Severity == Error {
				errors++
			} else {
				warnings++
			}
		}
		folder, _, _ := strings.Cut(f.Name, "/")
		var ok bool
		switch folder {
		case "good":
			ok = errors == 0 && warnings == 0
		case "warn":
			ok = errors == 0 && warnings > 0
		case "bad", "syntax":
			ok = errors > 0
		}
		if !ok {
			t.Errorf("%s: %d errors and %d warnings", f.Name, errors, warnings)
		}
		if _, err := Parse(f.Data); (err == nil) != (errors == 0) {
			t.Errorf("%s: Parse says %v, Lint finds %d errors", f.Name, err, errors)
		}
	}
}

// beyondSchema are the fixtures whose error JSON Schema has no means to see,
// with the reason.
var beyondSchema = map[string]string{
	"bad/method-channel-long":       "the length of two names together",
	"bad/fallback-without-port":     "a fallback may take over the port of another object",
	"bad/cache":                     "names of another list",
	"bad/parameter-twice":           "uniqueness of one member among objects",
	"bad/parameter-order":           "the order of elements",
	"bad/unknown-type":              "names declared elsewhere",
	"bad/foreign-type":              "names declared elsewhere",
	"bad/foreign-type-array":        "names declared elsewhere",
	"bad/schema-for-text":           "names declared elsewhere, since the type may be an alias",
	"bad/default-type":              "a value judged by another value",
	"bad/default-validation":        "a value judged by another value",
	"bad/validation-pattern":        "whether Go's engine takes an expression",
	"bad/json-schema-ref-unknown":   "names declared elsewhere",
	"bad/json-schema-ref-near":      "names declared elsewhere",
	"bad/json-schema-ref-remote":    "where a reference leads",
	"bad/json-schema-ref-nowhere":   "where a reference leads",
	"bad/type-cycle":                "references followed",
	"bad/type-cycle-self":           "references followed",
	"bad/alias-cycle":               "references followed",
	"bad/alias-cycle-nullable":      "references followed",
	"bad/long-cycle":                "references followed",
	"bad/schema-of-text-and-object": "names declared elsewhere, since the type may be an alias",
	"bad/json-schema-id-twice":      "addresses compared",
	"bad/json-schema-regex-key":     "whether Go's engine takes an expression",
	"bad/json-schema-number":        "the spelling of a number",
	"bad/absurd-number":             "the spelling of a number",
	"bad/too-deep":                  "the depth of the whole",
}

// The JSON Schema that editors use and the linter are two accounts of one
// format: they must not disagree on what is a manifest.
func TestSchemaAgreesWithLint(t *testing.T) {
	schema := editorSchema(t)
	judged := 0
	for _, f := range fixtures(t) {
		if !jsontext.Value(f.Data).IsValid() {
			continue // no JSON in the strict sense, no opinion
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatal(err)
		}
		judged++
		refused := schema.Validate(doc)
		broken := false
		for _, p := range Lint(f.Data) {
			broken = broken || p.Severity == Error
		}
		if beyondSchema[f.Name] != "" {
			if refused != nil || !broken {
				t.Errorf("%s is said to be beyond JSON Schema; the schema says %v", f.Name, refused)
			}
			continue
		}
		if broken != (refused != nil) {
			t.Errorf("%s: Lint refuses: %v; the schema says: %v", f.Name, broken, refused)
		}
	}
	if judged-len(beyondSchema) < 60 {
		t.Errorf("only %d fixtures were compared", judged-len(beyondSchema))
	}
}

// editorSchema is spec/manifest.schema.json, compiled.
func editorSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("../spec/manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource("manifest.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
