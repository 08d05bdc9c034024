package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/ekkojs/ipc/wire"
)

// TestVectors runs spec/vectors/filter.json.
func TestVectors(t *testing.T) {
	raw, err := os.ReadFile("../../spec/vectors/filter.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		About string
		Cases []struct {
			Name, Canonical string
			Code            wire.Code
			Offset          int
			Match, Miss     []string
		}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range file.Cases {
		if seen[c.Name] {
			t.Errorf("%q stands twice", c.Name)
		}
		seen[c.Name] = true
		f, err := Parse(c.Name)
		if got := wire.CodeOf(err); got != c.Code {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if err != nil {
			if e, ok := errors.AsType[*wire.Error](err); !ok || e.Details.More["offset"] != c.Offset {
				t.Errorf("%s: %v at %v, want %d", c.Name, err, e.Details.More, c.Offset)
			}
			continue
		}
		if f.String() != c.Canonical {
			t.Errorf("%s is %s, want %s", c.Name, f, c.Canonical)
		}
		for _, data := range c.Match {
			if !f.Match([]byte(data)) {
				t.Errorf("%s does not match %s", c.Name, data)
			}
		}
		for _, data := range c.Miss {
			if f.Match([]byte(data)) {
				t.Errorf("%s matches %s", c.Name, data)
			}
		}
	}
}
