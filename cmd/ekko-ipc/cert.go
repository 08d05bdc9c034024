package main

import (
	"errors"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/internal/devcert"
)

func (c *cli) certCommand() *cobra.Command {
	var hosts, clients []string
	var days int
	cmd := &cobra.Command{
		Use:     "cert DIR",
		Short:   "Make certificates to try TLS with",
		GroupID: groupRun,
		Long: `Make certificates to try TLS with: DIR/ca.pem for both sides, DIR/server.pem and
DIR/server.key for the service, DIR/client.pem and DIR/client.key for who calls.

The key of the authority in ca.pem is forgotten at once, so nobody can make more
certificates that count: for another client make all of them anew. Nothing is
overwritten.

In the manifest of the service:

  "transport": {"type": "tcp", "port": 7443, "tls": {
    "ca": "DIR/ca.pem", "cert": "DIR/server.pem", "key": "DIR/server.key", "clientCert": true}}

and for who calls it, "ekko-ipc help environment" tells of the variables.`,
		Example: `  ekko-ipc cert certs
  ekko-ipc cert certs --host db.example.com --client billing --client shop`,
		Args: needs(1, 1, "DIR"),
		ValidArgsFunction: func(_ *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(words) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(_ *cobra.Command, words []string) error {
			if days < 1 || days > 3650 {
				return &usageError{err: errors.New("--days is a number from 1 to 3650")}
			}
			paths, err := devcert.Write(words[0], &devcert.Options{
				Hosts: hosts, Clients: clients, Life: time.Duration(days) * 24 * time.Hour,
			})
			if errors.Is(err, fs.ErrExist) {
				return hint(err, "make them in a folder of their own, or remove those that are there")
			}
			if err != nil {
				return err
			}
			return c.listFiles(paths)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&hosts, "host", nil, "a name or number the service is called by (default localhost, 127.0.0.1 and ::1)")
	flags.StringArrayVar(&clients, "client", nil, `a client's name, and that of its files (default "client")`)
	flags.IntVar(&days, "days", 90, "how long they count")
	for _, name := range []string{"host", "client", "days"} {
		register(cmd, name, cobra.NoFileCompletions)
	}
	return cmd
}

// listFiles prints the paths of files that were made.
func (c *cli) listFiles(paths []string) error {
	for _, path := range paths {
		var err error
		if c.wantsJSONDocument() {
			err = c.emit(path)
		} else {
			err = c.print(path + "\n")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
