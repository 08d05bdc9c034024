package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// messageCheck compares two messages, absent and empty being different.
type messageCheck struct{ got, want Message }

func (c *messageCheck) equal() bool {
	same := func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
	a, b := &c.got, &c.want
	return a.Type == b.Type && same(a.TypeName, b.TypeName) && same(a.MessageID, b.MessageID) &&
		same(a.Channel, b.Channel) && same(a.Action, b.Action) && same(a.Data, b.Data) &&
		same(a.Timestamp, b.Timestamp) && same(a.CorrelationID, b.CorrelationID) &&
		same(a.Error, b.Error) && same(a.Metadata, b.Metadata)
}

// oracleMessage reads a frame by way of the oracle. ok is whether it must be
// accepted, limits aside.
func oracleMessage(frame []byte) (m Message, ok bool) {
	if _, err := oracle(frame); err != nil {
		return m, false
	}
	fields, err := oracleFields(frame)
	if err != nil {
		return m, false
	}
	ok = true
	text := func(name string) []byte {
		raw, present := fields[name]
		if !present || raw == "null" {
			return nil
		}
		s, isText := oracleText(raw)
		ok = ok && (isText || name == "timestamp")
		if !isText {
			return nil
		}
		return []byte(s)
	}
	object := func(name string) []byte {
		raw, present := fields[name]
		if !present || raw == "null" {
			return nil
		}
		ok = ok && raw[0] == '{'
		return []byte(raw)
	}
	kind := text("type")
	ok = ok && kind != nil
	for t := TypeRequest; t <= TypeUnsubscribe; t++ {
		if asciiLower(string(kind)) == t.String() {
			m.Type = t
		}
	}
	if m.Type == TypeUnknown {
		m.TypeName = kind
	}
	m.MessageID, m.Channel, m.Action = text("messageId"), text("channel"), text("action")
	m.Timestamp, m.CorrelationID = text("timestamp"), text("correlationId")
	m.Error, m.Metadata = object("error"), object("metadata")
	if raw, present := fields["data"]; present {
		m.Data = []byte(raw)
	}
	return m, ok
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// checkLaxReader checks that a reader which takes nearly anything sees the
// same in an accepted frame as we do: one reading of a text or none.
func checkLaxReader(t *testing.T, frame []byte, m *Message) {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(frame, &fields); err != nil {
		t.Fatalf("accepted, but encoding/json says %v", err)
	}
	for name, got := range map[string][]byte{
		"messageId": m.MessageID, "channel": m.Channel, "action": m.Action, "correlationId": m.CorrelationID,
	} {
		var want *string
		if raw, present := fields[name]; present {
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
		}
		checkText(t, name, got, want)
	}
	if !bytes.Equal(fields["data"], m.Data) {
		t.Errorf("data is %s, encoding/json says %s", m.Data, fields["data"])
	}
}
