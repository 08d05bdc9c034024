package main

import (
	"strings"
	"testing"

	"github.com/ekkojs/ipc/manifest"
)

func TestPaintJSON(t *testing.T) {
	tests := []struct{ text, want string }{
		{`null`, "\x1b[35mnull\x1b[0m"},
		{`-1.5e3`, "\x1b[33m-1.5e3\x1b[0m"},
		{`"a\"b:"`, "\x1b[32m\"a\\\"b:\"\x1b[0m"},
		{`{"a":[1,true]}`, "{\x1b[34m\"a\"\x1b[0m:[\x1b[33m1\x1b[0m,\x1b[35mtrue\x1b[0m]}"},
		{`"cut off`, "\x1b[32m\"cut off\x1b[0m"},
		{``, ``},
	}
	for _, test := range tests {
		if got := paintJSON(test.text, true); got != test.want {
			t.Errorf("%s: got %q, want %q", test.text, got, test.want)
		}
		if got := paintJSON(test.text, false); got != test.text {
			t.Errorf("%s: without colours it became %q", test.text, got)
		}
	}
}

func TestExcerptPutsTheCaretUnderTheColumn(t *testing.T) {
	long := `{"description": "` + strings.Repeat("é", 300) + `", "type": 5}`
	tests := []struct {
		name, text   string
		line, column int
		under        string // the character above the caret
	}{
		{"first", "{\n}", 1, 1, "{"},
		{"after a tab", "{\n\t\"a\": x", 2, 7, "x"},
		{"after wide bytes", `{"é": x`, 1, 7, "x"},
		{"far to the right", long, 1, strings.IndexRune(long, '5') + 1 - 300, "5"},
		{"invalid UTF-8", "\xff\"x", 1, 3, "x"},
		{"carriage return", "{\r\nx\r\n", 2, 1, "x"},
		{"end of the line", "{", 1, 2, ""},
	}
	for _, test := range tests {
		got := excerpt([]byte(test.text), manifest.Problem{Line: test.line, Column: test.column}, false)
		lines := strings.Split(got, "\n")
		if len(lines) != 3 {
			t.Errorf("%s: got %q", test.name, got)
			continue
		}
		source, caret := []rune(lines[0]), []rune(lines[1])
		under := ""
		if at := len(caret) - 1; at < len(source) {
			under = string(source[at])
		}
		if caret[len(caret)-1] != '^' || under != test.under || len(source) > excerptWidth+12 {
			t.Errorf("%s: got\n%swant the caret under %q", test.name, got, test.under)
		}
	}
	if got := excerpt([]byte("{}"), manifest.Problem{Line: 9, Column: 1}, false); got != "" {
		t.Errorf("a line that does not exist: got %q", got)
	}
}

func TestShorten(t *testing.T) {
	if got := shorten("äöüß", 4); got != "äöüß" {
		t.Errorf("got %q", got)
	}
	if got := shorten("äöüßx", 4); got != "äöü…" {
		t.Errorf("got %q", got)
	}
}
