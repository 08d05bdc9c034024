package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/wire"
)

func (c *cli) codesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "codes [CODE]",
		Short:   "Explain the codes of errors",
		GroupID: groupHelp,
		Long: `Explain the codes of errors: what each means, whether the call behind it was
carried out, whether it makes sense to send it again, and who makes it. Codes
that begin with APP_ are a service's own.`,
		Example: `  ekko-ipc codes
  ekko-ipc codes DEADLINE_EXCEEDED`,
		Args: needs(0, 1, "CODE"),
		ValidArgsFunction: func(_ *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(words) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var codes []string
			for _, info := range wire.Codes() {
				codes = append(codes, string(info.Code)+"\t"+info.Meaning)
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, words []string) error {
			if len(words) == 1 {
				return c.explainCode(strings.ToUpper(words[0]))
			}
			return c.listCodes()
		},
	}
}

// codeJSON is a line of codes.
type codeJSON struct {
	Code       wire.Code     `json:"code"`
	Meaning    string        `json:"meaning"`
	Executed   wire.Executed `json:"executed,omitempty"`
	Retry      string        `json:"retry"`
	MadeBy     string        `json:"madeBy"`
	ExitStatus int           `json:"exitStatus"`
}

func newCodeJSON(info wire.CodeInfo) codeJSON {
	return codeJSON{info.Code, info.Meaning, info.Executed, info.Retryable, info.MadeBy, exitStatus(info.Code)}
}

func (c *cli) listCodes() error {
	table, paint := wire.Codes(), c.out()
	width := 0
	for _, info := range table {
		width = max(width, len(info.Code))
	}
	for _, info := range table {
		var err error
		if c.wantsJSONDocument() {
			err = c.emit(newCodeJSON(info))
		} else {
			err = c.print(paint.cyan(pad(string(info.Code), width)) + "  " + info.Meaning + "\n")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *cli) explainCode(code string) error {
	info, err := codeInfo(code)
	if err != nil {
		return err
	}
	if c.wantsJSONDocument() {
		return c.emit(newCodeJSON(info))
	}
	p := &page{paint: c.out()}
	p.line(0, p.paint.cyan(string(info.Code)))
	p.prose(2, info.Meaning)
	p.line(0, "")
	p.facts(
		[2]string{"carried out", executedWord(info.Executed)},
		[2]string{"send again", info.Retryable},
		[2]string{"made by", info.MadeBy},
		[2]string{"exit status", fmt.Sprint(exitStatus(info.Code))},
	)
	return c.print(p.String())
}

func codeInfo(code string) (wire.CodeInfo, error) {
	var names []string
	for _, info := range wire.Codes() {
		if string(info.Code) == code {
			return info, nil
		}
		names = append(names, string(info.Code))
	}
	if wire.Code(code).IsApp() {
		return wire.CodeInfo{
			Code: wire.Code(code), Meaning: "an error of the service's own: its description may say more (ekko-ipc describe SERVICE)",
			Executed: wire.Code(code).Executed(), Retryable: "service says", MadeBy: "service",
		}, nil
	}
	err := fmt.Errorf("there is no code %q", code)
	if guess := manifest.Closest(code, names); guess != "" {
		return wire.CodeInfo{}, &usageError{err: hint(err, "did you mean: ekko-ipc codes "+guess)}
	}
	return wire.CodeInfo{}, &usageError{err: hint(err, "see all: ekko-ipc codes")}
}

func executedWord(executed wire.Executed) string {
	switch executed {
	case wire.ExecutedNo:
		return "no, certainly not"
	case wire.ExecutedMaybe:
		return "perhaps: look before you call again"
	case wire.ExecutedYes:
		return "yes"
	}
	return "does not apply"
}
