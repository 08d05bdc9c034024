package docscheck

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// page is written with ' for the backquotes of its fences.
const page = `# Title
'''go
package main
'''

<!-- tested: first file: dir/app.ts -->
'''ts
import x from 'ipc:x'
'''

1. in a list

   '''sh
   one
     two
   '''

<!-- tested: first
hidden &
-->
<!-- tested: first -->

'''console
$ ekko-ipc call \
> x
{"id": …}
...
the end
'''
<!-- tested: second -->
~~~ts
'''
~~~
<!-- tested: second -->
'''text
2 calls
'''
`

func TestBlocks(t *testing.T) {
	got, err := Blocks(strings.ReplaceAll(page, "'''", "```"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Block{
		{Line: 3, Lang: "go", Text: "package main\n"},
		{Line: 8, Lang: "ts", Text: "import x from 'ipc:x'\n", Session: "first", File: "dir/app.ts"},
		{Line: 14, Lang: "sh", Text: "one\n  two\n"},
		{Line: 19, Lang: "sh", Text: "hidden &\n", Session: "first"},
		{Line: 24, Lang: "console", Text: "$ ekko-ipc call \\\n> x\n{\"id\": …}\n...\nthe end\n", Session: "first"},
		{Line: 32, Lang: "ts", Text: "```\n", Session: "second"},
		{Line: 36, Lang: "text", Text: "2 calls\n", Session: "second"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	sessions, err := Sessions(got)
	if err != nil {
		t.Fatal(err)
	}
	wantSessions := []*Session{
		{
			Name: "first", Script: "hidden &\nekko-ipc call \\\nx\n", Files: map[string]string{"dir/app.ts": "import x from 'ipc:x'\n"},
			Expect: []string{`{"id": …}`, "the end"},
		},
		{Name: "second", Script: "ekko-ipc run line32.ts\n", Files: map[string]string{"line32.ts": "```\n"}, Expect: []string{"2 calls"}},
	}
	if diff := cmp.Diff(wantSessions, sessions); diff != "" {
		t.Error(diff)
	}
}

func TestBadPages(t *testing.T) {
	for text, want := range map[string]string{
		"```go\nfoo":                             "line 1: the block does not end",
		"<!-- tested: x\nfoo":                    "line 1: the mark does not end",
		"<!-- tested: x -->\n\nprose":            "line 3: the block has to follow its mark on line 1",
		"<!-- tested: x -->\n":                   "line 1: no block follows the mark",
		"\n<!-- tested X -->":                    "line 2: a mark reads <!-- tested: NAME -->",
		"<!-- tested: Not A Name -->":            "line 1: a mark reads",
		"<!-- tested: x -->\n```css\n```":        `line 3: a block of "css" cannot be tested`,
		"<!-- tested: x -->\n<!-- tested: x -->": "line 2: the mark on line 1 has no block",
	} {
		blocks, err := Blocks(text)
		if err == nil {
			_, err = Sessions(blocks)
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

func TestMissing(t *testing.T) {
	s := &Session{Expect: []string{`{"id": …, "name": "Ada"}`, "done in ... ms", "2 calls"}}
	for output, want := range map[string]string{
		"noise\n  {\"id\": 12, \"name\": \"Ada\"}\nmore\ndone in 5 ms\n2 calls\nbye\n": "",
		"{\"id\": 12, \"name\": \"Bob\"}\n":                                            `{"id": …, "name": "Ada"}`,
		"2 calls\n{\"id\": 1, \"name\": \"Ada\"}\ndone in 1 ms\n":                      "2 calls",
		"{\"id\": 1, \"name\": \"Ada\"}\nis done in 1 ms\n2 calls":                     "done in ... ms",
	} {
		if got := s.Missing(output); got != want {
			t.Errorf("%q lacks %q, want %q", output, got, want)
		}
	}
}
