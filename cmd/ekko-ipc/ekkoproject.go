package main

import (
	"encoding/json"
	"os"
	"strings"
)

// ekkoProject is what an ekko.json says that matters here.
type ekkoProject struct {
	Name, Type       string
	Exports, Imports map[string]string
}

// readEkkoProject reads an ekko.json as far as it can: who is only given advice
// by it can do without.
func readEkkoProject(path string) (p ekkoProject) {
	text, err := os.ReadFile(path)
	if err == nil {
		json.Unmarshal([]byte(withoutComments(string(text))), &p)
	}
	return p
}

// withoutComments takes // and /* */ out of JSON.
func withoutComments(text string) string {
	var b strings.Builder
	for text != "" {
		switch {
		case text[0] == '"':
			n := stringEnd(text)
			b.WriteString(text[:n])
			text = text[n:]
		case strings.HasPrefix(text, "//"):
			_, text, _ = strings.Cut(text, "\n")
		case strings.HasPrefix(text, "/*"):
			_, text, _ = strings.Cut(text[2:], "*/")
			b.WriteByte(' ')
		default:
			b.WriteByte(text[0])
			text = text[1:]
		}
	}
	return b.String()
}

// stringEnd is where the string ends that the text begins with.
func stringEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
