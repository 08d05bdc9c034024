package wire

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestJ03_NumbersPassUnchanged: a number is checked and kept, never computed.
func TestJ03_NumbersPassUnchanged(t *testing.T) {
	for _, number := range []string{
		"0", "-0", "-0.0", "0e0", "1", "-1", "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993",
		"18446744073709551615", "18446744073709551616", "1e400", "-1e400", "1E-400", "1e+0", "0.1", "0.10", "1.0",
		"0.1000000000000000055511151231257827", "5e-324", "1.7976931348623159e308", strings.Repeat("9", 100), "1e" + strings.Repeat("9", 100),
	} {
		frame := []byte(`{"type":"event","data":[` + number + `],"x":` + number + `}`)
		var m Message
		if err := DefaultLimits.Decode(frame, &m); err != nil {
			t.Errorf("%s: %v", number, err)
			continue
		}
		if string(m.Data) != "["+number+"]" {
			t.Errorf("%s became %s", number, m.Data)
		}
		if got := string(m.Append(nil)); !strings.Contains(got, `"data":[`+number+`]`) {
			t.Errorf("%s became %s", number, got)
		}
	}
}

// TestJ03_MetadataIntegers: the numbers that we do compute with are exact or
// refused.
func TestJ03_MetadataIntegers(t *testing.T) {
	for _, c := range []struct {
		text string
		seq  uint64
		ok   bool
	}{
		{"0", 0, true}, {"9007199254740993", 9007199254740993, true}, {"18446744073709551615", 18446744073709551615, true},
		{"18446744073709551616", 0, false}, {"184467440737095516150", 0, false}, {"99999999999999999999999", 0, false},
		{"-0", 0, false}, {"-1", 0, false}, {"1.0", 0, false}, {"1e0", 0, false}, {"00", 0, false}, {"0x1", 0, false},
	} {
		var md Metadata
		err := DefaultLimits.DecodeMetadata([]byte(`{"seq":`+c.text+`}`), &md)
		if (err == nil) != c.ok || md.Seq != c.seq || md.HasSeq != c.ok {
			t.Errorf("seq %s: %d, %t, %v", c.text, md.Seq, md.HasSeq, err)
		}
	}
	for _, text := range []string{"9223372036854775807", "-9223372036854775808", "0", "-1"} {
		var md Metadata
		if err := DefaultLimits.DecodeMetadata([]byte(`{"timeoutMs":`+text+`}`), &md); err != nil || fmt.Sprint(md.TimeoutMS) != text {
			t.Errorf("timeoutMs %s: %d, %v", text, md.TimeoutMS, err)
		}
		if md.Timeout() < 0 {
			t.Errorf("timeoutMs %s is a duration of %v", text, md.Timeout())
		}
	}
	for _, text := range []string{"9223372036854775808", "-9223372036854775809", "1.5", `"1"`, "-", "--1"} {
		var md Metadata
		if err := DefaultLimits.DecodeMetadata([]byte(`{"credit":`+text+`}`), &md); CodeOf(err) != CodeMalformedMessage {
			t.Errorf("credit %s: %d, %v", text, md.Credit, err)
		}
	}
}

// TestJ04_EveryTwoBytes puts each pair of bytes into a text, at every
// alignment to a word: accepted exactly when it is UTF-8 without anything
// that must be escaped.
func TestJ04_EveryTwoBytes(t *testing.T) {
	for pair := range 1 << 16 {
		two := string([]byte{byte(pair >> 8), byte(pair)})
		want := utf8.ValidString(two) && !strings.ContainsAny(two, `"\`) && two[0] >= ' ' && two[1] >= ' '
		if escape := two[0] == '\\' && strings.ContainsRune(`"\/bfnrt`, rune(two[1])); escape {
			want = true
		}
		lead := pair % 9
		raw := `"` + strings.Repeat("x", lead) + two + "yyyyyyyyyy\""
		if err := DefaultLimits.Valid([]byte(raw)); (err == nil) != want {
			t.Fatalf("%q: %v", raw, err)
		}
	}
}

// TestJ04_EveryEscape tries each of the 65,536 Unicode escapes, alone and with
// each kind of neighbour.
func TestJ04_EveryEscape(t *testing.T) {
	for unit := range 1 << 16 {
		high, low := 0xd800 <= unit && unit < 0xdc00, 0xdc00 <= unit && unit < 0xe000
		escape := fmt.Sprintf(`\u%04x`, unit)
		for raw, want := range map[string]bool{
			`"` + escape + `"`:        !high && !low,
			`"` + escape + `\udc00"`:  high,
			`"\ud800` + escape + `"`:  low,
			`"` + escape + `x\udc00"`: false,
		} {
			if err := DefaultLimits.Valid([]byte(raw)); (err == nil) != want {
				t.Fatalf("%s: %v", raw, err)
			}
		}
		if high || low {
			continue
		}
		var m Message
		frame := fmt.Sprintf(`{"type":"event","messageId":"%s%s"}`, escape, strings.ToUpper(escape[2:]))
		if err := DefaultLimits.Decode([]byte(frame), &m); err != nil {
			t.Fatal(err)
		}
		if want := string(rune(unit)) + strings.ToUpper(escape[2:]); string(m.MessageID) != want {
			t.Fatalf("%s is %q, want %q", frame, m.MessageID, want)
		}
	}
}

// TestJ04_VictimsNeverSeeBadText: what we write is valid whatever text got
// into a message.
func TestJ04_VictimsNeverSeeBadText(t *testing.T) {
	bad := []byte("a\xff\"\\\n\x00\xed\xa0\x80\xe4\xb8")
	m := Message{TypeName: bad, MessageID: bad, Channel: bad, Action: bad, Timestamp: bad, CorrelationID: bad}
	md := Metadata{Traceparent: bad, Tracestate: bad, IdempotencyKey: bad, Subscription: bad, Epoch: bad, Gap: &Gap{Reason: string(bad)}}
	e := &Error{Code: Code(bad), Message: string(bad), Details: Details{
		Executed: Executed(bad), Origin: Origin(bad), Path: string(bad), More: map[string]any{string(bad): string(bad)},
	}}
	for name, raw := range map[string][]byte{"message": m.Append(nil), "metadata": md.Append(nil), "error": e.AppendJSON(nil)} {
		if _, err := oracle(raw); err != nil {
			t.Errorf("%s: %v in %s", name, err, raw)
		}
		if err := DefaultLimits.Valid(raw); err != nil {
			t.Errorf("%s: %v in %s", name, err, raw)
		}
	}
}
