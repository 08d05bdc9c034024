package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The vectors are described in spec/vectors/README.md. What a text means, and
// which code refuses it, is written by hand and never updated; -update only
// rewrites the encoded forms.
var update = flag.Bool("update", false, "rewrite the encoded forms in spec/vectors")

const vectorDir = "../spec/vectors"

type vectorFile[C any] struct {
	About string `json:"about"`
	Cases []C    `json:"cases"`
}

// vectorInput is the bytes of a case, in one of three notations.
type vectorInput struct {
	Text  *string      `json:"text,omitempty"`
	Hex   *string      `json:"hex,omitempty"`
	Parts []vectorPart `json:"parts,omitempty"`
}

type vectorPart struct {
	Text  string `json:"text"`
	Times int    `json:"times,omitempty"` // how often; default 1
	Count int    `json:"count,omitempty"` // how often, with # replaced by 0, 1, 2, …
}

func (in vectorInput) bytes(t testing.TB) []byte {
	switch {
	case in.Text != nil:
		return []byte(*in.Text)
	case in.Hex != nil:
		raw, err := hex.DecodeString(*in.Hex)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	var b strings.Builder
	for _, p := range in.Parts {
		for k := range p.Count {
			b.WriteString(strings.ReplaceAll(p.Text, "#", strconv.Itoa(k)))
		}
		if p.Count == 0 {
			b.WriteString(strings.Repeat(p.Text, max(1, p.Times)))
		}
	}
	return []byte(b.String())
}

// readVectors returns a file of vectors.
func readVectors[C any](t testing.TB, name string) *vectorFile[C] {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(vectorDir, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields() // a misspelled expectation must not be none
	var file vectorFile[C]
	if err := dec.Decode(&file); err != nil {
		t.Fatalf("%s.json: %v", name, err)
	}
	if len(file.Cases) == 0 {
		t.Fatalf("%s.json has no cases", name)
	}
	return &file
}

// writeVectors writes a file of vectors back after -update.
func writeVectors[C any](t *testing.T, name string, file *vectorFile[C]) {
	t.Helper()
	if !*update {
		return
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(vectorDir, name+".json"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkCode checks that err has the code, which is "" for success.
func checkCode(t *testing.T, err error, want Code) {
	t.Helper()
	if got := CodeOf(err); got != want {
		t.Fatalf("code %q, want %q (%v)", got, want, err)
	}
}

// checkEncoded checks an encoded form against the vector's, or takes it over
// into the vector when updating.
func checkEncoded(t *testing.T, vector *string, got []byte) {
	t.Helper()
	if *update {
		*vector = string(got)
	}
	if *vector != string(got) {
		t.Errorf("encoded as\n%s\nwant\n%s", got, *vector)
	}
	if err := DefaultLimits.Valid(got); err != nil {
		t.Errorf("encoded as %s: %v", got, err)
	}
}

// checkText checks a field that may be absent.
func checkText(t *testing.T, field string, got []byte, want *string) {
	t.Helper()
	switch {
	case want == nil && got != nil:
		t.Errorf("%s is %q, want none", field, got)
	case want != nil && (got == nil || string(got) != *want):
		t.Errorf("%s is %q (nil: %t), want %q", field, got, got == nil, *want)
	}
}
