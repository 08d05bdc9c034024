package wire

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// tight are limits that short texts reach.
var tight = Limits{MaxDepth: 5, MaxMembers: 18, MaxTokens: 60}

// checkAgainstOracle checks that raw is accepted exactly when it is valid and
// within the limits.
func checkAgainstOracle(t *testing.T, l *Limits, raw []byte) {
	t.Helper()
	size, wrong := oracle(raw)
	err := l.Valid(raw)
	switch code := CodeOf(err); {
	case err == nil && wrong != nil:
		t.Fatalf("accepted, but %v\n%q", wrong, raw)
	case err == nil && !size.within(l):
		t.Fatalf("accepted %+v\n%q", size, raw)
	case err != nil && wrong == nil && size.within(l):
		t.Fatalf("refused: %v\n%q", err, raw)
	case code == CodeMalformedMessage && wrong == nil:
		t.Fatalf("refused as malformed: %v\n%q", err, raw)
	case err != nil && code != CodeMalformedMessage && code != CodeMessageTooLarge:
		t.Fatalf("failed with %v", err)
	}
}

func FuzzValid(f *testing.F) {
	for _, c := range readVectors[valueVector](f, "value").Cases {
		f.Add(c.bytes(f))
	}
	for _, c := range readVectors[messageVector](f, "message").Cases {
		if raw := c.bytes(f); len(raw) < 2000 {
			f.Add(raw)
		}
	}
	f.Add([]byte(`{` + manyMembers(19) + `}`))
	f.Add([]byte(`[[[[[[]]]]]]`))
	f.Add([]byte(`{"a":{` + manyMembers(18) + `},"\u0061":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkAgainstOracle(t, nil, raw)
		checkAgainstOracle(t, &tight, raw)
	})
}

func FuzzDecode(f *testing.F) {
	for _, c := range readVectors[messageVector](f, "message").Cases {
		if raw := c.bytes(f); len(raw) < 2000 {
			f.Add(raw)
		}
	}
	f.Add([]byte(typicalRequest))
	f.Fuzz(func(t *testing.T, frame []byte) {
		given := bytes.Clone(frame)
		var m Message
		err := DefaultLimits.Decode(frame, &m)
		if !bytes.Equal(given, frame) {
			t.Fatal("the frame was written to")
		}
		want, expected := oracleMessage(frame)
		if err != nil {
			if expected && CodeOf(err) != CodeMessageTooLarge {
				t.Fatalf("refused: %v", err)
			}
			if id := m.MessageID; !(&messageCheck{m, Message{MessageID: id}}).equal() {
				t.Fatalf("left %+v behind", m)
			}
			return
		}
		if !expected {
			t.Fatal("accepted")
		}
		if !(&messageCheck{m, want}).equal() {
			t.Fatalf("read\n%+v, want\n%+v", m, want)
		}
		checkLaxReader(t, frame, &m)

		encoded := m.Append(nil)
		var again Message
		if err := DefaultLimits.Decode(encoded, &again); err != nil {
			t.Fatalf("%v in its own encoding %s", err, encoded)
		}
		if !(&messageCheck{again, m}).equal() {
			t.Fatalf("%s became %s", frame, encoded)
		}
		if twice := again.Append(nil); !bytes.Equal(twice, encoded) {
			t.Fatalf("%s became %s", encoded, twice)
		}
	})
}

func FuzzBatch(f *testing.F) {
	for _, c := range readVectors[batchVector](f, "batch").Cases {
		if raw := c.bytes(f); len(raw) < 2000 {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		var want []jsontext.Value
		_, wrong := oracle(frame)
		if wrong == nil && IsBatch(frame) {
			dec := jsontext.NewDecoder(bytes.NewReader(frame))
			dec.ReadToken()
			for dec.PeekKind() != ']' {
				v, err := dec.ReadValue()
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, v.Clone())
			}
		}
		n := 0
		for element, err := range DefaultLimits.Batch(frame) {
			if err != nil {
				if n > 0 || len(want) > 0 && CodeOf(err) != CodeMessageTooLarge {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if n >= len(want) || !bytes.Equal(element, want[n]) {
				t.Fatalf("element %d is %s, want %s", n, element, want)
			}
			n++
		}
		if n != len(want) || n == 0 {
			t.Fatalf("%d elements, want %d", n, len(want))
		}
	})
}
