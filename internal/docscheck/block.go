package docscheck

import (
	"fmt"
	"regexp"
	"strings"
)

// A Block is a fenced block of a Markdown file, or the hidden lines of a mark.
type Block struct {
	Line    int    // where its text begins, from 1
	Lang    string // the first word behind the fence
	Text    string // with a newline at the end
	Session string // the name in the mark before it; "" if it has none
	File    string // the path in the mark
}

var (
	fence   = regexp.MustCompile("^( *)(```+|~~~+) *([^ `]*)")
	mark    = regexp.MustCompile(`^<!-- tested: ([a-z0-9-]+)(?: file: (\S+))?( -->)?$`)
	anyMark = regexp.MustCompile(`^<!-- *tested`)
)

// Blocks returns the blocks of a Markdown text. The error names the line of a
// mark or fence that makes no sense.
func Blocks(text string) ([]Block, error) {
	p := &parser{lines: strings.Split(text, "\n")}
	for p.at < len(p.lines) {
		if err := p.next(); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.at+1, err)
		}
	}
	if p.marked != nil {
		return nil, fmt.Errorf("line %d: no block follows the mark", p.marked.Line)
	}
	return p.blocks, nil
}

// A parser goes through a Markdown text line by line.
type parser struct {
	lines  []string
	at     int
	marked *Block // holds the mark that waits for its block
	blocks []Block
}

// next takes what begins at the current line.
func (p *parser) next() error {
	line := strings.TrimRight(p.lines[p.at], " \r")
	if m := fence.FindStringSubmatch(line); m != nil {
		return p.block(len(m[1]), m[2], m[3])
	}
	m := mark.FindStringSubmatch(line)
	switch {
	case m == nil && anyMark.MatchString(line):
		return fmt.Errorf("a mark reads <!-- tested: NAME --> or <!-- tested: NAME file: PATH -->, not %q", line)
	case m == nil && line != "" && p.marked != nil:
		return fmt.Errorf("the block has to follow its mark on line %d", p.marked.Line)
	case m == nil:
		p.at++
		return nil
	case p.marked != nil:
		return fmt.Errorf("the mark on line %d has no block", p.marked.Line)
	case m[3] == "":
		return p.hidden(m[1])
	}
	p.at++
	p.marked = &Block{Line: p.at, Session: m[1], File: m[2]}
	return nil
}

// block takes a fenced block up to its closing fence, without the indentation
// that it has within a list.
func (p *parser) block(indent int, opening, lang string) error {
	b := Block{Lang: lang, Line: p.at + 2}
	if p.marked != nil {
		b.Session, b.File, p.marked = p.marked.Session, p.marked.File, nil
	}
	var text strings.Builder
	for i := p.at + 1; i < len(p.lines); i++ {
		line := strings.TrimSuffix(p.lines[i], "\r")
		if closing := strings.TrimSpace(line); strings.HasPrefix(closing, opening) && strings.Trim(closing, opening[:1]) == "" {
			b.Text = text.String()
			p.blocks, p.at = append(p.blocks, b), i+1
			return nil
		}
		text.WriteString(line[min(indent, len(line)-len(strings.TrimLeft(line, " "))):] + "\n")
	}
	return fmt.Errorf("the block does not end")
}

// hidden takes the lines of a mark up to its end.
func (p *parser) hidden(session string) error {
	b := Block{Lang: "sh", Line: p.at + 2, Session: session}
	for i := p.at + 1; i < len(p.lines); i++ {
		if strings.TrimSpace(p.lines[i]) == "-->" {
			p.blocks, p.at = append(p.blocks, b), i+1
			return nil
		}
		b.Text += p.lines[i] + "\n"
	}
	return fmt.Errorf("the mark does not end")
}
