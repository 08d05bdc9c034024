package script

import (
	"slices"
	"strings"
	"testing"
)

func TestDecodeVLQ(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]int{
		"":      nil,
		"A":     {0},
		"C":     {1},
		"D":     {-1},
		"gB":    {16},
		"hB":    {-16},
		"AAgBC": {0, 0, 16, 1},
		"AAAA":  {0, 0, 0, 0},
		"2H":    {123},
	} {
		got, err := decodeVLQ(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("decodeVLQ(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"!", "A A", "ggggggggg", "é"} {
		if got, err := decodeVLQ(text); err == nil {
			t.Errorf("decodeVLQ(%q) = %v, want an error", text, got)
		}
	}
}

func TestMapStack(t *testing.T) {
	t.Parallel()
	b := &bundle{mapped: []byte(`{"version":3,"sources":["a.ts","dir/b.ts"],"mappings":"AAAA,IAAI;;ACCJ"}`)}
	stack := strings.Join([]string{
		"    at first (ekko:app:1:1)",
		"    at between (ekko:app:1:9)",
		"    at call (native)",
		"    at prelude (<eval>:3:4)",
		"    at <eval> (<eval>:3:4)",
		"    at second (ekko:app:3:7)",
		"    at nowhere (ekko:app:2:1)",
		"    at beyond (ekko:app:99:1)",
		"",
	}, "\n")
	want := strings.Join([]string{
		"    at first (a.ts:1:1)",
		"    at between (a.ts:1:5)",
		"    at second (dir/b.ts:2:1)",
		"    at nowhere (ekko:app:2:1)",
		"    at beyond (ekko:app:99:1)",
		"",
	}, "\n")
	if got := b.mapStack(stack); got != want {
		t.Errorf("mapStack gave\n%s\nwant\n%s", got, want)
	}
	broken := &bundle{mapped: []byte("not JSON")}
	if got := broken.mapStack("    at f (ekko:app:1:1)\n"); got != "    at f (ekko:app:1:1)\n" {
		t.Errorf("without a map the stack became %q", got)
	}
}

func FuzzParseSourceMap(f *testing.F) {
	f.Add([]byte(`{"version":3,"sources":["a.ts"],"mappings":"AAAA,IAAI;;ACCJ"}`), 1, 1)
	f.Fuzz(func(t *testing.T, text []byte, line, column int) {
		m, err := parseSourceMap(text)
		if err != nil {
			return
		}
		if source, _, _, found := m.find(line, column); found && !slices.Contains(m.sources, source) {
			t.Errorf("find(%d, %d) leads to %q, which is no source", line, column, source)
		}
	})
}

func TestDecodeLossy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ok é €":           "ok é €",
		"\xff":             "\ufffd",
		"a\xe2\x82b":       "a\ufffdb",
		"\xf0\x9f\x98":     "\ufffd",
		"\xf0\x80\x80\x80": "\ufffd\ufffd\ufffd\ufffd", // too long a form
		"\xed\xa0\x80":     "\ufffd\ufffd\ufffd",       // a surrogate
		"\xf4\x90\x80\x80": "\ufffd\ufffd\ufffd\ufffd", // beyond Unicode
		"\xc3(":            "\ufffd(",
		"\x80\x80":         "\ufffd\ufffd",
	} {
		if got := decodeLossy([]byte(text)); got != want {
			t.Errorf("decodeLossy(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestWholeCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "a": 1, "é": 2, "a\xc3": 1, "\xe2\x82": 0, "x\xf0\x9f\x98": 1, "😀": 4, "\xff": 1, "a\x80": 2, "\xe2\x28": 2,
	} {
		if got := wholeCharacters([]byte(text)); got != want {
			t.Errorf("wholeCharacters(%q) = %d, want %d", text, got, want)
		}
	}
}
