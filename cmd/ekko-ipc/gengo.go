package main

import (
	"errors"
	"fmt"
	"go/token"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/internal/gen"
)

// goOptions are the flags of gen go.
type goOptions struct {
	output, name string
	skeleton     bool
}

func (c *cli) genGoCommand() *cobra.Command {
	var o goOptions
	cmd := &cobra.Command{
		Use:   "go SERVICE",
		Short: "Write a Go package for a service: a typed client, or a skeleton",
		Long: `Write a Go package for a service: a Client with a method for each of the
service's, with types for what they take and answer, and Handler and Register
for the service itself. Give each service a package of its own.

With --skeleton it writes a second file for that package, in which a Service
has all methods of Handler, each to be written. It is yours then: it is never
written over. After a change of the manifest write the first file again, and
the compiler says what the second one lacks.

SERVICE is a name, or the file of a manifest.`,
		Example: `  ekko-ipc gen go database-service --package database -o database/client.go
  ekko-ipc gen go database-service --package database -o database/service.go --skeleton`,
		Args:              needs(1, 1, "SERVICE"),
		ValidArgsFunction: c.completeServices,
		RunE: func(cmd *cobra.Command, words []string) error {
			s, err := c.promised(cmd.Context(), words[0])
			if err != nil {
				return err
			}
			return c.goPackage(s, &o)
		},
	}
	outputFlag(cmd, &o.output, "-", "go")
	cmd.Flags().StringVar(&o.name, "package", "", "the name of the package (default: made of the service's)")
	cmd.Flags().BoolVar(&o.skeleton, "skeleton", false, "write the beginning of a service")
	register(cmd, "package", cobra.NoFileCompletions)
	return cmd
}

func (c *cli) goPackage(s gen.Service, o *goOptions) error {
	name := firstOf(o.name, packageName(s.Name))
	write := gen.Go
	if o.skeleton {
		write = gen.GoSkeleton
		if _, err := os.Lstat(o.output); o.output != "-" && err == nil {
			err := fmt.Errorf("%s is there already, and a skeleton is only a beginning", o.output)
			return hint(&usageError{err: err}, "write another file with -o FILE, or remove that one first")
		}
	}
	text, err := write(s.Manifest, name)
	if err != nil {
		return hint(&usageError{err: errors.New(strings.TrimPrefix(err.Error(), "gen: "))}, "name the package: --package "+packageName(s.Name))
	}
	return c.write(o.output, text, s.Name)
}

// packageName is a package for a service: the small letters and digits of its
// name.
func packageName(service string) string {
	name := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(service))
	if !token.IsIdentifier(name) {
		return "service" + name
	}
	return name
}
