package wire

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
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

func FuzzMetadata(f *testing.F) {
	for _, c := range readVectors[metadataVector](f, "metadata").Cases {
		f.Add(c.bytes(f))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var md Metadata
		if err := DefaultLimits.DecodeMetadata(raw, &md); err != nil {
			if !md.IsZero() {
				t.Fatalf("left %+v behind", md)
			}
			return
		}
		if err := DefaultLimits.Valid(raw); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		encoded := md.Append(nil)
		var again Metadata
		if err := DefaultLimits.DecodeMetadata(encoded, &again); err != nil {
			t.Fatalf("%v in its own encoding %s", err, encoded)
		}
		if twice := again.Append(nil); !bytes.Equal(twice, encoded) {
			t.Fatalf("%s became %s, then %s", raw, encoded, twice)
		}
		if md.IsZero() != (string(encoded) == "{}") || md.Timeout() < 0 {
			t.Fatalf("IsZero %t, Timeout %v of %s", md.IsZero(), md.Timeout(), encoded)
		}
	})
}

func FuzzError(f *testing.F) {
	for _, c := range readVectors[errorVector](f, "error").Cases {
		f.Add(c.bytes(f))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e := DecodeError(raw)
		if e == nil || e.Code == "" || e.Error() == "" {
			t.Fatalf("read as %v", e)
		}
		encoded := e.AppendJSON(nil)
		if _, err := oracle(encoded); err != nil {
			t.Fatalf("%v in its own encoding %s", err, encoded)
		}
		if DefaultLimits.Valid(encoded) != nil {
			return // larger than what was read: the defaults are written out
		}
		again := DecodeError(encoded)
		if again.Code != e.Code || again.Message != e.Message || again.Details.Executed != e.Details.Executed ||
			again.Details.Retryable != e.Details.Retryable || again.Details.Path != e.Details.Path {
			t.Fatalf("%s became %s", raw, encoded)
		}
		if twice := again.AppendJSON(nil); !bytes.Equal(twice, encoded) {
			t.Fatalf("%s became %s, then %s", raw, encoded, twice)
		}
	})
}

func FuzzString(f *testing.F) {
	for _, c := range readVectors[encodeVector](f, "encode").Cases {
		if c.String != nil {
			f.Add(*c.String)
		}
	}
	f.Add("a\xffb\xed\xa0\x80\xe4\xb8")
	f.Fuzz(func(t *testing.T, s string) {
		got := AppendString([]byte("x"), s)
		if other := AppendString([]byte("x"), []byte(s)); !bytes.Equal(got, other) {
			t.Fatalf("%s from text, %s from bytes", got, other)
		}
		if err := DefaultLimits.Valid(got[1:]); err != nil {
			t.Fatalf("%v: %s", err, got)
		}
		// Each byte that is not UTF-8 counts as one U+FFFD.
		want := string([]rune(s))
		if text, ok := oracleText(string(got[1:])); !ok || text != want {
			t.Fatalf("%q became %s, which is %q", s, got[1:], text)
		}
	})
}

// The grammar of names by another hand. In Go's regexp $ is the end of the
// text and nothing else.
var (
	oracleToken = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	oracleName  = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,15}$`)
)

func FuzzName(f *testing.F) {
	for _, c := range readVectors[nameVector](f, "name").Cases {
		f.Add(c.Name)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := len(s) <= 255 && oracleName.MatchString(s)
		if err := CheckName(s); (err == nil) != want {
			t.Fatalf("CheckName(%q) is %v", s, err)
		}
		event := strings.TrimPrefix(s, "events.")
		want = len(event) <= 255 && oracleName.MatchString(event)
		if err := CheckChannel(s); (err == nil) != want {
			t.Fatalf("CheckChannel(%q) is %v", s, err)
		}
		service, method := SplitChannel([]byte(s))
		if method == nil && string(service) != s || method != nil && string(service)+"."+string(method) != s {
			t.Fatalf("%q split into %q and %q", s, service, method)
		}
		if channel := EventChannel(s); string(EventName([]byte(channel))) != strings.TrimPrefix(s, "events.") {
			t.Fatalf("%q travels on %q", s, channel)
		}
	})
}

// oraclePattern matches by splitting, token by token.
func oraclePattern(pattern, name string) bool {
	p, n := strings.Split(pattern, "."), strings.Split(name, ".")
	for k, token := range p {
		switch {
		case token == "**":
			return len(n) > k
		case k >= len(n), token != "*" && token != n[k]:
			return false
		}
	}
	return len(p) == len(n)
}

// oraclePatternGrammar says whether a pattern may be parsed.
func oraclePatternGrammar(s string) bool {
	tokens := strings.Split(s, ".")
	stars := 0
	for k, token := range tokens {
		switch {
		case token == "*":
			stars++
		case token == "**" && k == len(tokens)-1:
		case !oracleToken.MatchString(token):
			return false
		}
	}
	return stars <= 4 && len(tokens) <= 16 && len(s) <= 255
}

func FuzzPattern(f *testing.F) {
	for _, c := range readVectors[nameVector](f, "pattern").Cases {
		for _, name := range append(c.Match, c.Miss...) {
			f.Add(c.Name, name)
		}
		f.Add(c.Name, "a.b")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		p, err := ParsePattern(pattern)
		if want := oraclePatternGrammar(pattern); (err == nil) != want {
			t.Fatalf("ParsePattern(%q) is %v", pattern, err)
		}
		got := p.Match(name) // must not panic, whatever the name is
		if err != nil {
			if got || p != (Pattern{}) || CodeOf(err) != CodeInvalidPattern {
				t.Fatalf("%q, %v: matches", pattern, err)
			}
			return
		}
		if p.IsLiteral() != !strings.Contains(pattern, "*") || p.String() != pattern {
			t.Fatalf("%q is %q, literal %t", pattern, p, p.IsLiteral())
		}
		if CheckName(name) == nil && got != oraclePattern(pattern, name) {
			t.Fatalf("Match(%q, %q) is %t", pattern, name, got)
		}
	})
}
