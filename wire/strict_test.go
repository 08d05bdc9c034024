package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// TestJ01_SameAsOracle reads generated values, half of them with faults, side
// by side with another strict reader.
func TestJ01_SameAsOracle(t *testing.T) {
	n := uint64(10_000)
	if testing.Short() {
		n = 1_000
	}
	accepted := 0
	for seed := range n {
		fault := 0
		if seed%2 == 1 {
			fault = 40
		}
		g := newGenerator(seed, fault)
		g.value(6)
		raw := []byte(g.String())
		checkAgainstOracle(t, nil, raw)
		checkAgainstOracle(t, &tight, raw)
		if DefaultLimits.Valid(raw) == nil {
			accepted++
		} else if fault == 0 {
			t.Fatalf("seed %d: refused %s", seed, raw)
		}
	}
	if accepted < int(n/2) || accepted == int(n) {
		t.Errorf("%d of %d accepted: the generator shows nothing", accepted, n)
	}
}

// TestJ01_DuplicateNames puts a name a second time into objects of all sizes
// around the one where the way of looking for it changes, in every place.
func TestJ01_DuplicateNames(t *testing.T) {
	for _, n := range []int{1, 2, 15, 16, 17, 18, 31, 32, 33, 64, 65, 200} {
		members := strings.Split(manyMembers(n), ",")
		for at := range n {
			name, _, _ := strings.Cut(members[at], ":")
			spellings := []string{name, `"\u006d` + name[2:], strings.Replace(name, "member", `m\u0065mb\u0065r`, 1)}
			for _, again := range spellings {
				object := "{" + strings.Join(members, ",") + "," + again + ":0}"
				for _, raw := range []string{object, `{"outer":` + object + `}`, `[{` + manyMembers(20) + `,"inner":` + object + `}]`} {
					if code := CodeOf(DefaultLimits.Valid([]byte(raw))); code != CodeMalformedMessage {
						t.Fatalf("%d names, number %d again as %s: code %q", n, at, again, code)
					}
				}
			}
		}
		// The same names in objects within and beside each other are no duplicates.
		object := "{" + manyMembers(n) + "}"
		nested := `{"a":` + object + `,` + manyMembers(n) + `,"b":[` + object + `,` + object + `]}`
		if err := DefaultLimits.Valid([]byte(nested)); err != nil {
			t.Fatalf("%d names: %v", n, err)
		}
	}
}

// TestJ01_TwoViews holds the probes on which programs have been smuggled past
// each other: each must be refused, or mean the same to a lax reader.
func TestJ01_TwoViews(t *testing.T) {
	const id = `"messageId":"0123456789"`
	for name, probe := range map[string]struct {
		frame string
		code  Code
	}{
		"duplicate":               {`{"type":"event",` + id + `,"channel":"a","channel":"b"}`, CodeMalformedMessage},
		"duplicate by escape":     {`{"type":"event","channel":"a","ch\u0061nnel":"b"}`, CodeMalformedMessage},
		"duplicate roles":         {`{"type":"event","data":{"roles":["_admin"],"roles":[]}}`, CodeMalformedMessage},
		"other case":              {`{"type":"event","channel":"a","Channel":"b"}`, ""},
		"other case alone":        {`{"type":"event","CHANNEL":"b"}`, ""},
		"Kelvin sign":             {`{"type":"event","\u212a":1,"k":2}`, ""},
		"normalisation":           {"{\"type\":\"event\",\"data\":{\"caf\u00e9\":1,\"cafe\u0301\":2}}", ""},
		"byte order mark":         {"\ufeff{\"type\":\"event\"}", CodeMalformedMessage},
		"trailing value":          {`{"type":"event"}{"type":"request"}`, CodeMalformedMessage},
		"trailing NUL":            {"{\"type\":\"event\"}\x00", CodeMalformedMessage},
		"NUL in a name":           {"{\"type\":\"event\",\"chan\x00nel\":1}", CodeMalformedMessage},
		"escaped NUL in a name":   {`{"type":"event","channel\u0000":"b","channel":"a"}`, ""},
		"lone surrogates differ":  {`{"type":"event","data":{"\ud800":1,"\ud801":2}}`, CodeMalformedMessage},
		"bad UTF-8 names differ":  {"{\"type\":\"event\",\"data\":{\"\xff\":1,\"\xfe\":2}}", CodeMalformedMessage},
		"comment hides a member":  {`{"type":"event",/*"channel":"a",*/"channel":"b"}`, CodeMalformedMessage},
		"name without quotes":     {`{"type":"event",channel:"b"}`, CodeMalformedMessage},
		"trailing comma":          {`{"type":"event","channel":"b",}`, CodeMalformedMessage},
		"prototype":               {`{"type":"event","__proto__":{"channel":"b"}}`, ""},
		"a number that overflows": {`{"type":"event","data":1e400}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var m Message
			err := DefaultLimits.Decode([]byte(probe.frame), &m)
			checkCode(t, err, probe.code)
			if err == nil && name != "other case" && name != "other case alone" {
				checkLaxReader(t, []byte(probe.frame), &m)
			}
		})
	}
}

// TestJ01_SameInNode lets JSON.parse read every message among the vectors that
// we accept, and compares.
func TestJ01_SameInNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if testing.Short() {
			t.Skip("no node")
		}
		t.Fatal("node is not installed; run with -short to do without")
	}
	type view struct {
		Frame  string            `json:"frame"`
		Text   map[string]string `json:"text"`
		Values map[string]string `json:"values"`
	}
	var views []view
	for _, c := range readVectors[messageVector](t, "message").Cases {
		frame := c.bytes(t)
		var m Message
		if DefaultLimits.Decode(frame, &m) != nil {
			continue
		}
		v := view{string(frame), map[string]string{}, map[string]string{}}
		for name, text := range map[string][]byte{"messageId": m.MessageID, "channel": m.Channel, "action": m.Action, "timestamp": m.Timestamp, "correlationId": m.CorrelationID} {
			if text != nil {
				v.Text[name] = string(text)
			}
		}
		for name, raw := range map[string][]byte{"data": m.Data, "error": m.Error, "metadata": m.Metadata} {
			if raw != nil {
				v.Values[name] = string(raw)
			}
		}
		views = append(views, v)
	}
	in, err := json.Marshal(views)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "testdata/views.mjs")
	cmd.Stdin = bytes.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestJ02_Limits holds the limits at their edge, for each value of Limits.
func TestJ02_Limits(t *testing.T) {
	arrays := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	objects := func(n int) string { return strings.Repeat(`{"a":`, n) + "0" + strings.Repeat("}", n) }
	tokens := func(n int) string { return "[" + strings.Repeat("0,", n-2) + "0]" }
	for _, c := range []struct {
		name   string
		limits *Limits
		fits   string
		over   string
	}{
		{"depth of arrays", nil, arrays(64), arrays(65)},
		{"depth of objects", &Limits{}, objects(64), objects(65)},
		{"own depth", &Limits{MaxDepth: 3}, arrays(3), arrays(4)},
		{"ceiling of depth", &Limits{MaxDepth: 1 << 30}, arrays(256), arrays(257)},
		{"members", nil, "{" + manyMembers(4096) + "}", "{" + manyMembers(4097) + "}"},
		{"own members", &Limits{MaxMembers: 2}, "{" + manyMembers(2) + "}", "{" + manyMembers(3) + "}"},
		{"ceiling of members", &Limits{MaxMembers: 1 << 30, MaxTokens: 1 << 30}, "{" + manyMembers(65536) + "}", "{" + manyMembers(65537) + "}"},
		{"tokens", nil, tokens(100_000), tokens(100_001)},
		{"own tokens", &Limits{MaxTokens: 5}, `{"a":["b",0]}`, `{"a":["b",0,0]}`},
		{"ceiling of tokens", &Limits{MaxTokens: 1 << 30}, tokens(1_000_000), tokens(1_000_001)},
		{"negative is the default", &Limits{MaxDepth: -1}, arrays(64), arrays(65)},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkCode(t, c.limits.Valid([]byte(c.fits)), "")
			err := c.limits.Valid([]byte(c.over))
			checkCode(t, err, CodeMessageTooLarge)
			var e *Error
			if !errors.As(err, &e) || e.Details.Executed != ExecutedNo || e.Details.More["limit"] == nil {
				t.Errorf("%v says nothing of the limit: %+v", err, e.Details)
			}
		})
	}
}

// TestJ02_EveryTokenCounts: wherever the last token of a text stands, it is
// the one that is too many.
func TestJ02_EveryTokenCounts(t *testing.T) {
	frame := `{"type":"event","messageId":"0123456789","action":null,"timestamp":1,"data":[1,"a",null,true,{"b":[]}],` +
		`"error":null,"metadata":{"seq":1,"more":true,"credit":-1,"epoch":"e","redelivered":false,"gap":{"from":1,"to":2}},"x":0}`
	_, metadata, _ := strings.Cut(strings.TrimSuffix(frame, `,"x":0}`), `"metadata":`)
	for what, c := range map[string]struct {
		raw  string
		read func(*Limits, []byte) error
	}{
		"message":  {frame, func(l *Limits, raw []byte) error { return l.Decode(raw, new(Message)) }},
		"metadata": {metadata, func(l *Limits, raw []byte) error { return l.DecodeMetadata(raw, new(Metadata)) }},
		"batch": {"[" + frame + "]", func(l *Limits, raw []byte) error {
			for _, err := range l.Batch(raw) {
				return err
			}
			return nil
		}},
	} {
		size, err := oracle([]byte(c.raw))
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= size.tokens+1; n++ {
			want := CodeMessageTooLarge
			if n >= size.tokens {
				want = ""
			}
			if got := CodeOf(c.read(&Limits{MaxTokens: n}, []byte(c.raw))); got != want {
				t.Errorf("%s of %d tokens, limit %d: code %q", what, size.tokens, n, got)
			}
		}
		depth := size.depth
		if what == "batch" {
			depth-- // the array itself does not count
		}
		for n := 1; n <= depth+1; n++ {
			want := CodeMessageTooLarge
			if n >= depth {
				want = ""
			}
			if got := CodeOf(c.read(&Limits{MaxDepth: n}, []byte(c.raw))); got != want {
				t.Errorf("%s of %d levels, limit %d: code %q", what, depth, n, got)
			}
		}
	}
}

// TestJ02_BombsCostNothing reads the texts that are small and expensive for a
// reader that builds what it reads.
func TestJ02_BombsCostNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, bomb := range map[string]string{
		"opening brackets": strings.Repeat("[", 1<<20),
		"opening braces":   strings.Repeat(`{"":`, 1<<18),
		"empty arrays":     "[" + strings.Repeat("[],", 1<<18) + "[]]",
		"a million names":  "{" + manyMembers(1<<16) + "}",
		"a long text":      `"` + strings.Repeat("x", 1<<20) + `"`,
		"escapes":          `"` + strings.Repeat(`\u0000`, 1<<17) + `"`,
		"backslashes":      `"` + strings.Repeat(`\\`, 1<<19),
		"a long number":    strings.Repeat("9", 1<<20),
		"white space":      strings.Repeat(" ", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			raw := []byte(bomb)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			DefaultLimits.Valid(raw)
			runtime.ReadMemStats(&after)
			bytes := after.TotalAlloc - before.TotalAlloc
			if bytes > uint64(len(raw)) {
				t.Errorf("%d bytes allocated for a text of %d", bytes, len(raw))
			}
		})
	}
}
