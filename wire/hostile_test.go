package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestJ06_EveryCutIsRefused: no beginning of a message is a message.
func TestJ06_EveryCutIsRefused(t *testing.T) {
	for cut := range typicalRequest {
		var m Message
		if err := DefaultLimits.Decode([]byte(typicalRequest[:cut]), &m); CodeOf(err) != CodeMalformedMessage {
			t.Errorf("%s: %v", typicalRequest[:cut], err)
		}
	}
}

// TestJ06_TypeConfusion gives each field a value of each type.
func TestJ06_TypeConfusion(t *testing.T) {
	values := map[string]string{"string": `"event"`, "number": "1", "boolean": "true", "null": "null", "array": "[]", "object": "{}"}
	allowed := map[string]string{
		"type": "string", "messageId": "string null", "channel": "string null", "action": "string null", "correlationId": "string null",
		"timestamp": "string number boolean null array object", "data": "string number boolean null array object",
		"error": "object null", "metadata": "object null",
	}
	for field, kinds := range allowed {
		for kind, value := range values {
			frame := fmt.Sprintf(`{"%s":%s`, field, value)
			if field != "type" {
				frame += `,"type":"event"`
			}
			var m Message
			err := DefaultLimits.Decode([]byte(frame+"}"), &m)
			if want := strings.Contains(kinds, kind); (err == nil) != want {
				t.Errorf("%s as %s: %v", field, kind, err)
			}
			if e, ok := err.(*Error); ok && e.Details.Path != "/"+field {
				t.Errorf("%s as %s: path %q", field, kind, e.Details.Path)
			}
		}
	}
}

// TestJ06_RefusalNamesTheMessage: what is refused for its shape can still be
// answered.
func TestJ06_RefusalNamesTheMessage(t *testing.T) {
	var m Message
	err := DefaultLimits.Decode([]byte(`{"messageId":"0123456789","type":"request","channel":7}`), &m)
	if CodeOf(err) != CodeMalformedMessage || string(m.MessageID) != "0123456789" {
		t.Errorf("%v, messageId %q", err, m.MessageID)
	}
	if m.Type != TypeUnknown || m.Channel != nil {
		t.Errorf("left %+v behind", m)
	}
}

// TestJ07_Names checks random names against the grammar by another hand. Most
// are near the grammar, or nothing would be shown.
func TestJ07_Names(t *testing.T) {
	n := 200_000
	if testing.Short() {
		n = 20_000
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	const near = "abzAZ059_-.......**$#/ \x00\x7f\x80\xffé"
	valid := 0
	for range n {
		name := make([]byte, rnd.IntN(40))
		for k := range name {
			if rnd.IntN(8) > 0 {
				name[k] = "abcXYZ09_-"[rnd.IntN(10)]
			} else {
				name[k] = near[rnd.IntN(len(near))]
			}
		}
		s := string(name)
		err := CheckName(s)
		if want := oracleName.MatchString(s) && len(s) <= 255; (err == nil) != want {
			t.Fatalf("CheckName(%q) is %v", s, err)
		}
		if err == nil {
			valid++
		} else if CodeOf(err) != CodeInvalidName || DefaultLimits.Valid(err.(*Error).AppendJSON(nil)) != nil {
			t.Fatalf("CheckName(%q) is %v", s, err)
		}
		p, err := ParsePattern(s)
		if want := oraclePatternGrammar(s); (err == nil) != want {
			t.Fatalf("ParsePattern(%q) is %v", s, err)
		}
		if p.Match(s) && strings.Contains(s, "**") && CheckName(s) == nil {
			t.Fatalf("%q is a name", s)
		}
	}
	if valid < n/20 || valid > n*19/20 {
		t.Errorf("%d of %d names valid: that shows little", valid, n)
	}
}

// TestJ07_LongNamesStayShortInErrors: whoever sends a megabyte of name gets
// and logs no megabyte back.
func TestJ07_LongNamesStayShortInErrors(t *testing.T) {
	long := strings.Repeat("é$", 1<<18)
	_, patternErr := ParsePattern(long)
	for _, err := range []error{CheckName(long), CheckChannel(long), patternErr} {
		if err == nil || len(err.Error()) > 250 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}
}

// TestJ08_NeverPanics feeds mutations of every vector to everything that
// reads what a peer sends.
func TestJ08_NeverPanics(t *testing.T) {
	rounds := 100
	if testing.Short() {
		rounds = 10
	}
	var seeds [][]byte
	for _, c := range readVectors[messageVector](t, "message").Cases {
		seeds = append(seeds, c.bytes(t))
	}
	for _, c := range readVectors[errorVector](t, "error").Cases {
		seeds = append(seeds, c.bytes(t))
	}
	for _, c := range readVectors[metadataVector](t, "metadata").Cases {
		seeds = append(seeds, c.bytes(t))
	}
	rnd := rand.New(rand.NewPCG(8, 8))
	for _, seed := range seeds {
		if len(seed) > 4096 {
			continue
		}
		for range rounds {
			readEverything(mutate(rnd, seed, seeds[rnd.IntN(len(seeds))]))
		}
	}
}

func readEverything(raw []byte) {
	var m Message
	if DefaultLimits.Decode(raw, &m) == nil {
		m.Append(nil)
		tight.DecodeMetadata(m.Metadata, new(Metadata))
		DecodeError(m.Error)
		CheckChannel(string(m.Channel))
		SplitChannel(m.Channel)
	}
	for element := range tight.Batch(raw) {
		DefaultLimits.Decode(element, &m)
	}
	var md Metadata
	if DefaultLimits.DecodeMetadata(raw, &md) == nil {
		md.Append(nil)
	}
	DecodeError(raw).AppendJSON(nil)
	p, _ := ParsePattern(string(raw))
	p.Match(string(raw))
	AppendString(nil, raw)
}

// mutate returns a copy of text with a few things done to it.
func mutate(rnd *rand.Rand, text, other []byte) []byte {
	text = bytes.Clone(text)
	for range 1 + rnd.IntN(4) {
		at := rnd.IntN(len(text) + 1)
		switch rnd.IntN(6) {
		case 0:
			text = text[:at]
		case 1:
			text = text[at:]
		case 2:
			if at < len(text) {
				text[at] = byte(rnd.Uint32())
			}
		case 3:
			if at < len(text) {
				text[at] ^= 1 << rnd.IntN(8)
			}
		case 4:
			piece := []string{`"`, `\`, `\u`, `\ud83d`, "{", "}", "[", "]", ",", ":", "\x00", "\xff", "null", "1e", `"data":`}[rnd.IntN(15)]
			text = append(text[:at:at], append([]byte(piece), text[at:]...)...)
		case 5:
			text = append(text[:at:at], other[min(at, len(other)):]...)
		}
		if len(text) > 1<<16 {
			text = text[:1<<16]
		}
	}
	return text
}
