package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc/internal/gen"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/transport"
)

// ekkoOptions are the flags of gen ekkojs.
type ekkoOptions struct{ dir, address string }

func (c *cli) genEkkoJSCommand() *cobra.Command {
	var o ekkoOptions
	cmd := &cobra.Command{
		Use:   "ekkojs SERVICE…",
		Short: "Write a client for the EkkoJS runtime",
		Long: `Write a client for the EkkoJS runtime, by which import db from
'ipc:database-service' works there: a folder with a module for each service, and
one that they share. What ekko.json has to say is shown at the end.

That runtime has sockets of ports only, so the service has to be reached at one
of this machine: by its manifest, or by --address.

SERVICE is a name, or the file of a manifest.`,
		Example: `  ekko-ipc gen ekkojs database-service --address tcp:127.0.0.1:7000
  ekko-ipc gen ekkojs users orders -o src/ipc`,
		Args:              needs(1, 1000, "SERVICE…"),
		ValidArgsFunction: c.completeMoreServices,
		RunE: func(cmd *cobra.Command, words []string) error {
			var services []gen.Service
			for _, word := range words {
				s, err := c.promised(cmd.Context(), word)
				if err != nil {
					return err
				}
				services = append(services, s)
			}
			return c.ekkoClient(services, &o)
		},
	}
	cmd.Flags().StringVarP(&o.dir, "output", "o", "ipc", "the folder to write")
	cmd.Flags().StringVar(&o.address, "address", "", "where the service is reached, tcp:127.0.0.1:PORT (default: as its manifest says)")
	register(cmd, "output", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	})
	register(cmd, "address", cobra.NoFileCompletions)
	return cmd
}

func (c *cli) ekkoClient(services []gen.Service, o *ekkoOptions) error {
	if o.address != "" && len(services) > 1 {
		return &usageError{err: errors.New("--address is of one service: name that alone")}
	}
	files, err := ekkoFiles(services, o)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return hint(&usageError{err: err}, "write another folder with -o DIR")
	}
	for _, f := range files {
		if err := c.write(filepath.ToSlash(filepath.Join(o.dir, f.name)), f.text, f.services...); err != nil {
			return err
		}
	}
	for _, line := range ekkoAdvice(services, o.dir) {
		c.note("%s", line)
	}
	return nil
}

// ekkoFile is a file of the client.
type ekkoFile struct {
	name     string
	text     []byte
	services []string
}

func ekkoFiles(services []gen.Service, o *ekkoOptions) ([]ekkoFile, error) {
	client, err := gen.EkkoClient()
	if err != nil {
		return nil, err
	}
	files := []ekkoFile{{"client.js", client, namesOf(services)}}
	for _, s := range services {
		address, err := portOf(s, o.address)
		if err != nil {
			return nil, err
		}
		files = append(files, ekkoFile{s.Name + ".js", gen.EkkoModule(s, address), []string{s.Name}})
	}
	return files, nil
}

// portOf is the port at which a service is reached: the one that was named, or
// the first of its manifest.
func portOf(s gen.Service, named string) (string, error) {
	if named != "" {
		return named, checkPort(named)
	}
	first := s.Manifest.Service.Transport
	for _, t := range append([]manifest.Transport{first}, first.Fallback...) {
		if t.Type != manifest.TransportTCP || t.TLS != nil {
			continue
		}
		host := t.Address
		if host == "" || host == "localhost" {
			host = "127.0.0.1"
		}
		address := "tcp:" + net.JoinHostPort(host, strconv.Itoa(t.Port))
		return address, checkPort(address)
	}
	err := fmt.Errorf("%s is not served at a port, and the EkkoJS runtime reaches nothing else", s.Name)
	return "", hint(&usageError{err: err}, "have it served at one, or lead one to its socket, and name that: --address tcp:127.0.0.1:PORT")
}

func checkPort(address string) error {
	a, err := transport.ParseAddress(address)
	if err == nil && a.Scheme != transport.SchemeTCP {
		err = fmt.Errorf("%s is no port", address)
	}
	if err != nil {
		return hint(&usageError{err: err}, "name a port of this machine: --address tcp:127.0.0.1:PORT")
	}
	return nil
}

// ekkoAdvice is what ekko.json lacks. An entry of its imports leads to one of the
// project's exports: a path there would be relative to whichever file imports.
func ekkoAdvice(services []gen.Service, dir string) []string {
	p := readEkkoProject("ekko.json")
	dir = filepath.ToSlash(filepath.Clean(dir))
	if !filepath.IsLocal(dir) {
		return []string{"the folder does not lie in the project, so that its ekko.json cannot lead there"}
	}
	name := firstOf(p.Name, "NAME")
	var lacks []string
	if p.Name == "" || p.Type == "" {
		lacks = append(lacks, `  "name": "`+name+`", "type": "run",`)
	}
	if pattern, files := "./"+dir+"/*", "./"+dir+"/*.js"; p.Exports[pattern] != files {
		lacks = append(lacks, fmt.Sprintf(`  "exports": { %q: %q },`, pattern, files))
	}
	var imports []string
	for _, s := range services {
		if from, to := "ipc:"+s.Name, name+"/"+dir+"/"+s.Name; p.Imports[from] != to {
			imports = append(imports, fmt.Sprintf("%q: %q", from, to))
		}
	}
	if imports != nil {
		lacks = append(lacks, `  "imports": { `+strings.Join(imports, ", ")+` }`)
	}
	if lacks == nil {
		return nil
	}
	return append([]string{"ekko.json has to say:"}, lacks...)
}
