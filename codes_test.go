package ipc_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ekkojs/ipc/wire"
)

// unshown lists the codes that no conversation can show.
const unshown = "codes.txt"

// TestCodes makes sure that each code of the table is shown by a conversation,
// or is said to be shown elsewhere or to come later, and that no code is both.
func TestCodes(t *testing.T) {
	shown := shownCodes(t)
	excused := map[string]string{}
	for _, line := range readLines(t, filepath.Join(conversations, unshown)) {
		code, why, _ := strings.Cut(line, " ")
		if code == "#" {
			continue
		}
		if why = strings.TrimSpace(why); !strings.HasPrefix(why, "later: ") {
			checkPlace(t, code, why)
		}
		if !wire.Code(code).Known() {
			t.Errorf("%s lists %s, which is no code", unshown, code)
		}
		excused[code] = why
	}
	for _, row := range wire.Codes() {
		code := string(row.Code)
		where, why := shown[code], excused[code]
		switch {
		case where == "" && why == "":
			t.Errorf("no conversation shows %s, and %s does not say why", code, unshown)
		case where != "" && why != "":
			t.Errorf("%s shows %s, which %s says nothing does", where, code, unshown)
		}
	}
	checkCodesToCome(t, excused)
}

// shownCodes returns where each code is shown: by a service that answers with
// it, or by a client whose call ends with it.
func shownCodes(t *testing.T) map[string]string {
	shown := map[string]string{}
	find := func(paths []string, pattern string) {
		line := regexp.MustCompile(pattern)
		for _, path := range paths {
			for _, l := range readLines(t, path) {
				if m := line.FindStringSubmatch(l); m != nil {
					shown[m[1]] = path
				}
			}
		}
	}
	find(conversationFiles(t), `^< .*"error":\{"code":"([A-Z_]+)"`)
	find(clientFiles(t), `^(?:outcome|told).*: ([A-Z_]+), executed `)
	return shown
}

// checkCodesToCome holds the documentation to the same list.
func checkCodesToCome(t *testing.T, excused map[string]string) {
	page, err := os.ReadFile("docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(page), "Not made by anything yet:")
	list, _, _ = strings.Cut(list, ".\n")
	var said []string
	for _, m := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(list, -1) {
		said = append(said, m[1])
	}
	var later []string
	for code, why := range excused {
		if strings.HasPrefix(why, "later: ") {
			later = append(later, code)
		}
	}
	slices.Sort(said)
	slices.Sort(later)
	if !found || !slices.Equal(said, later) {
		t.Errorf("docs/errors.md says that nothing makes %q, and %s that nothing makes %q", said, unshown, later)
	}
}
