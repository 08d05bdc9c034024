package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Show the version of this program",
		GroupID:           groupHelp,
		Args:              needs(0, 0, "version"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			if c.wantsJSONDocument() {
				return c.emit(newVersionJSON())
			}
			return c.print(versionLine() + "\n")
		},
	}
}

type versionJSON struct {
	Name    string `json:"name"`
	Version string `json:"version"` // "(devel)" for a build from a clone
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func newVersionJSON() versionJSON {
	v := versionJSON{Name: "ekko-ipc", Version: "(devel)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			v.Commit = setting.Value
		}
	}
	return v
}

func versionLine() string {
	v := newVersionJSON()
	line := v.Name + " " + v.Version
	if v.Commit != "" {
		line += " (" + shorten(v.Commit, 12) + ")"
	}
	return line + " " + v.Go + " " + v.OS + "/" + v.Arch
}
