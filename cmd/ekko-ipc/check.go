package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/manifest"
)

func (c *cli) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE…",
		Short:   "Check manifests and say what is wrong, line by line",
		GroupID: groupLook,
		Long: `Check manifests and say what is wrong, line by line:

  FILE:LINE:COLUMN: error: MESSAGE
  FILE:LINE:COLUMN: warning: MESSAGE

Editors understand that form. At a terminal the line itself is shown too. The
exit status is 1 if there is an error; warnings alone leave it 0. "-" reads
standard input.`,
		Example: `  ekko-ipc check database-service.ekko.ipc.json
  ekko-ipc check services/*.ekko.ipc.json
  ekko-ipc check -j *.ekko.ipc.json | jq -r 'select(.severity == "error") | .message'`,
		Args: needs(1, -1, "FILE"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(_ *cobra.Command, files []string) error { return c.check(files) },
	}
}

// problemJSON is a line of check.
type problemJSON struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	Rule     string `json:"rule,omitempty"`
	Message  string `json:"message"`
	Path     string `json:"path,omitempty"`
}

func (c *cli) check(files []string) error {
	errors, warnings := 0, 0
	for _, file := range files {
		text, err := c.readManifest(file)
		if err != nil {
			return &usageError{err: err}
		}
		for _, problem := range manifest.Lint(text) {
			if problem.Severity == manifest.Error {
				errors++
			} else {
				warnings++
			}
			if err := c.printProblem(file, text, problem); err != nil {
				return err
			}
		}
	}
	c.note("%s checked: %s, %s", count(len(files), "file"), count(errors, "error"), count(warnings, "warning"))
	if errors > 0 {
		return statusError(exitFailed)
	}
	return nil
}

// readManifest reads a file up to a byte more than any manifest may have, so
// that the checker says that it is too long rather than we.
func (c *cli) readManifest(file string) ([]byte, error) {
	source := c.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		source = f
	}
	text, err := io.ReadAll(io.LimitReader(source, manifest.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return text, nil
}

func (c *cli) printProblem(file string, text []byte, p manifest.Problem) error {
	if c.wantsJSONDocument() {
		return c.emit(problemJSON{file, p.Line, p.Column, p.Severity.String(), p.Rule, p.Message, p.Path})
	}
	paint := c.out()
	severity := paint.yellow(p.Severity.String() + ":")
	if p.Severity == manifest.Error {
		severity = paint.red(p.Severity.String() + ":")
	}
	line := fmt.Sprintf("%s %s %s\n", paint.bold(fmt.Sprintf("%s:%d:%d:", file, p.Line, p.Column)), severity, p.Message)
	if c.outTerminal || c.color == colorAlways {
		line += excerpt(text, p, paint)
	}
	return c.print(line)
}

// excerptWidth is the longest piece of a line that is shown.
const excerptWidth = 100

// excerpt shows the line of the problem with a caret under the column.
func excerpt(text []byte, p manifest.Problem, paint palette) string {
	lines := bytes.Split(text, []byte("\n"))
	if p.Line < 1 || p.Line > len(lines) {
		return ""
	}
	runes := []rune(strings.ToValidUTF8(strings.TrimRight(string(lines[p.Line-1]), "\r"), "\uFFFD"))
	column := min(max(p.Column, 1), len(runes)+1) - 1 // from 0
	if column >= excerptWidth {                       // show the neighbourhood only
		cut := column - excerptWidth/2
		runes, column = append([]rune("…"), runes[cut:]...), column-cut+1
	}
	if len(runes) > excerptWidth {
		runes = append(runes[:excerptWidth:excerptWidth], '…')
	}
	margin := fmt.Sprintf("%5d │ ", p.Line)
	blank := strings.Repeat(" ", utf8.RuneCountInString(margin)-2) + "│ "
	return fmt.Sprintf("%s%s\n%s%s\n",
		paint.dim(margin), strings.Map(visible, string(runes)),
		paint.dim(blank), strings.Repeat(" ", column)+paint.red("^"))
}

// visible makes every character one cell wide, so that the caret stands where
// it should.
func visible(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case r < ' ' || r == 0x7f:
		return '\uFFFD'
	}
	return r
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
