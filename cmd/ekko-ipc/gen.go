package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/internal/gen"
	"github.com/ekkojs/ipc/manifest"
)

func (c *cli) genCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "gen",
		Short:   "Write types, clients and pages from what services promise",
		GroupID: groupRun,
		Long: `Write types, clients and pages from what services promise. They need not run:
all of it stands in their manifests.

ts declares the modules 'ipc:NAME', so that an editor completes and a wrong
argument does not compile; go writes a package with a typed client, and with
--skeleton the beginning of a service; md writes a page to read; ekkojs writes a
client for the EkkoJS runtime, which has no package for that.

What is written depends on the manifests alone. A file that would not change is
not touched.`,
		Example: `  ekko-ipc gen ts --all
  ekko-ipc gen ts database-service notification-service --watch
  ekko-ipc gen go database-service --package database -o database/client.go
  ekko-ipc gen md database-service -o docs/database-service.md`,
		Args: noSuchSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.genTSCommand(), c.genEkkoJSCommand(), c.genGoCommand(), c.genMDCommand())
	return cmd
}

func (c *cli) genMDCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "md SERVICE",
		Short: "Write a page about a service, in Markdown",
		Long: `Write a page about a service, in Markdown: its methods, what they take, answer
and fail with, its events, what its channels keep, and who may do what.

SERVICE is a name, or the file of a manifest.`,
		Example: `  ekko-ipc gen md database-service
  ekko-ipc gen md ./orders.ekko.ipc.json -o docs/orders.md`,
		Args:              needs(1, 1, "SERVICE"),
		ValidArgsFunction: c.completeServices,
		RunE: func(cmd *cobra.Command, words []string) error {
			s, err := c.promised(cmd.Context(), words[0])
			if err != nil {
				return err
			}
			return c.write(output, gen.Markdown(s.Manifest), s.Name)
		},
	}
	outputFlag(cmd, &output, "-", "md")
	return cmd
}

// outputFlag adds -o, which completes to files of an extension.
func outputFlag(cmd *cobra.Command, output *string, usual, extension string) {
	cmd.Flags().StringVarP(output, "output", "o", usual, `the file to write; "-": standard output`)
	register(cmd, "output", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{extension}, cobra.ShellCompDirectiveFilterFileExt
	})
}

// promised returns what a service promises: a word is its name, or the file of
// its manifest.
func (c *cli) promised(ctx context.Context, word string) (gen.Service, error) {
	if strings.HasSuffix(word, ".json") {
		return manifestFile(word)
	}
	d, err := c.find(ctx, []string{word}, false)
	if err != nil {
		return gen.Service{}, err
	}
	if d.part != "" {
		err := fmt.Errorf("%s is a part of %s; name the service alone", d.part, d.service)
		return gen.Service{}, hint(&usageError{err: err}, "name the service: "+d.service)
	}
	if d.manifest == nil {
		return gen.Service{}, fmt.Errorf("%s says nothing of what it promises", d.service)
	}
	name := d.service
	if isAddress(name) {
		name = d.manifest.Service.Name
	}
	return gen.Service{Name: name, Manifest: d.manifest}, nil
}

func manifestFile(path string) (gen.Service, error) {
	m, err := manifest.Load(path)
	if _, broken := errors.AsType[*manifest.SyntaxError](err); broken {
		return gen.Service{}, hint(err, "see all that is wrong with it: ekko-ipc check "+path)
	}
	if err != nil {
		return gen.Service{}, &usageError{err: err}
	}
	return gen.Service{Name: m.Service.Name, Manifest: m}, nil
}

// writtenJSON is what gen says of a file.
type writtenJSON struct {
	File     string   `json:"file"`
	Services []string `json:"services"`
	Changed  bool     `json:"changed"`
}

// write writes what was made of some services, and says so.
func (c *cli) write(output string, text []byte, services ...string) error {
	if output == "-" {
		return c.print(string(text))
	}
	changed, err := replaceFile(output, text)
	if err != nil {
		return hint(&usageError{err: err}, "write it elsewhere with -o FILE, or to standard output with -o -")
	}
	if c.wantsJSONDocument() {
		return c.emit(writtenJSON{filepath.ToSlash(output), services, changed})
	}
	state := "is as it was"
	if changed {
		state = "written"
	}
	c.note("%s %s: %s", output, state, strings.Join(services, ", "))
	return nil
}
