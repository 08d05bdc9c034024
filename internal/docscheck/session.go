package docscheck

import (
	"fmt"
	"regexp"
	"strings"
)

// A Session is the marked blocks of one name in one file, made ready to run.
type Session struct {
	Name   string
	Script string            // for sh -eu
	Files  map[string]string // by path, in the folder of the session
	Expect []string          // lines of output, in their order
}

// Sessions gathers the marked blocks, in the order in which they begin.
func Sessions(blocks []Block) ([]*Session, error) {
	var all []*Session
	byName := make(map[string]*Session)
	for _, b := range blocks {
		if b.Session == "" {
			continue
		}
		s := byName[b.Session]
		if s == nil {
			s = &Session{Name: b.Session, Files: make(map[string]string)}
			byName[b.Session], all = s, append(all, s)
		}
		if err := s.add(b); err != nil {
			return nil, fmt.Errorf("line %d: %w", b.Line, err)
		}
	}
	return all, nil
}

func (s *Session) add(b Block) error {
	if b.File != "" {
		s.Files[b.File] = b.Text
		return nil
	}
	switch b.Lang {
	case "sh", "bash":
		s.Script += b.Text
	case "console":
		s.addConsole(b.Text)
	case "text", "":
		s.Expect = append(s.Expect, expected(b.Text)...)
	case "js", "ts", "mjs":
		name := fmt.Sprintf("line%d.%s", b.Line, b.Lang)
		s.Files[name] = b.Text
		s.Script += "ekko-ipc run " + name + "\n"
	default:
		return fmt.Errorf("a block of %q cannot be tested", b.Lang)
	}
	return nil
}

func (s *Session) addConsole(text string) {
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			s.Script += command
		} else if command, ok := strings.CutPrefix(line, "> "); ok {
			s.Script += command
		} else {
			s.Expect = append(s.Expect, expected(line)...)
		}
	}
}

// expected leaves out the lines that any output has.
func expected(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line != "…" && line != "..." {
			lines = append(lines, line)
		}
	}
	return lines
}

// Missing returns the first expected line that output does not have behind
// the ones before it; "" if it has them all.
func (s *Session) Missing(output string) string {
	lines := strings.Split(output, "\n")
	for _, want := range s.Expect {
		pattern := lineMatching(want)
		i := 0
		for i < len(lines) && !pattern.MatchString(strings.TrimSpace(lines[i])) {
			i++
		}
		if i == len(lines) {
			return want
		}
		lines = lines[i+1:]
	}
	return ""
}

func lineMatching(want string) *regexp.Regexp {
	parts := strings.Split(strings.ReplaceAll(want, "...", "…"), "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
}
