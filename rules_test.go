package ipc_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRules makes sure that each rule of the specification is shown by a
// conversation, or is said to be proven elsewhere, and that no rule is
// claimed that there is not.
func TestRules(t *testing.T) {
	protocol, err := os.ReadFile("spec/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	stated := map[string]bool{}
	for _, m := range regexp.MustCompile(`\*\*\[([a-z]+\.\d+)\]`).FindAllSubmatch(protocol, -1) {
		if rule := string(m[1]); stated[rule] {
			t.Errorf("protocol.md states %s twice", rule)
		} else {
			stated[rule] = true
		}
	}
	shown := map[string]bool{}
	claim := func(where, rule string) {
		if !stated[rule] {
			t.Errorf("%s claims %s, which protocol.md does not state", where, rule)
		}
		shown[rule] = true
	}
	for _, path := range append(conversationFiles(t), clientFiles(t)...) {
		for _, line := range readLines(t, path) {
			if rules, ok := strings.CutPrefix(line, "rules: "); ok {
				for _, rule := range strings.Fields(rules) {
					claim(path, rule)
				}
			}
		}
	}
	for _, line := range readLines(t, filepath.Join(conversations, elsewhere)) {
		if rule, place, _ := strings.Cut(line, " "); !strings.HasPrefix(rule, "#") {
			claim(elsewhere, rule)
			checkPlace(t, rule, strings.TrimSpace(place))
		}
	}
	for rule := range stated {
		if !shown[rule] {
			t.Errorf("no conversation shows %s, and %s does not say what does", rule, elsewhere)
		}
	}
}

// checkPlace makes sure that the tests exist that are said to prove a rule, or
// to show a code.
func checkPlace(t *testing.T, rule, place string) {
	dir, names, _ := strings.Cut(place, ":")
	var source []byte
	files, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, text...)
	}
	tests := regexp.MustCompile(`\bTest\w+`).FindAllString(names, -1)
	if len(tests) == 0 {
		t.Errorf("%q names no test for %s", place, rule)
	}
	for _, name := range tests {
		if !bytes.Contains(source, []byte("func "+name+"(")) {
			t.Errorf("there is no %s in %s to prove %s", name, dir, rule)
		}
	}
}

// elsewhere lists the rules that no conversation can show.
const elsewhere = "elsewhere.txt"
